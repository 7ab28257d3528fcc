"""Resize, augmentation and cut-outs, from attempts/N.yaml to the pictures that are trained on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import FakeTrack, find_squares, write_yaml
from PIL import Image

from yolo_pipeline import attempt as attempts
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import AnnotationError, AttemptError, DataError, PipelineError
from yolo_pipeline.formats import read
from yolo_pipeline.geometry import iou
from yolo_pipeline.nouns import Detection
from yolo_pipeline.recipes.build import Build, build
from yolo_pipeline.recipes.train import train

SPLIT = {"train": 0.6, "val": 0.2, "test": 0.2}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def built(project: Path, train: dict[str, Any] | None = None, **data: Any) -> Build:
    settings = {"imgsz": 64, "batch": 4, "epochs": 1, **(train or {})}
    content = {"model": "yolov8n", "pretrained": False, "data": {"split": SPLIT, **data}, "train": settings}
    write_yaml(project / "attempts" / "7.yaml", content)
    return build(attempts.load(project, 7))


def loosened(project: Path) -> Path:
    """The same project with boxes 4 pixels too large on each side, so that something lies around the squares."""

    def larger(found: re.Match[str]) -> str:
        corner, value = found.group(1), int(found.group(2))
        return f"<{corner}>{max(0, value - 4) if corner.endswith('min') else min(64, value + 4)}"

    for file in (project / "datasets" / "raw" / "pictures").glob("*.xml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"<([xy]m(?:in|ax))>(\d+)", larger, text), encoding="utf-8")
    return project


def counts(data: Build) -> dict[str, int]:
    return {split: len(data.built.dataset.of(split)) for split in ("train", "val", "test")}  # type: ignore[arg-type]


def test_only_training_pictures_become_more(project: Path) -> None:
    assert counts(built(project)) == {"train": 12, "val": 4, "test": 4}
    data = built(project, augment={"outputs_per_example": 3, "brightness": 0.2})
    assert counts(data) == {"train": 36, "val": 4, "test": 4}


def test_a_preview_lies_beside_the_data_set(project: Path) -> None:
    preview = project / "datasets" / "attempt-7-preview.png"
    built(project, augment={"outputs_per_example": 3, "brightness": 0.2})
    first = preview.read_bytes()
    built(project, augment={"outputs_per_example": 3, "rotation_deg": 20})
    second = preview.read_bytes()
    assert first != second
    preview.unlink()
    built(project, augment={"outputs_per_example": 3, "rotation_deg": 20})
    assert preview.read_bytes() == second
    built(project)
    assert not preview.exists()


def test_a_picture_of_the_users_is_not_taken_for_a_preview(project: Path) -> None:
    preview = project / "datasets" / "attempt-7-preview.png"
    Image.new("RGB", (5, 5)).save(preview)
    before = preview.read_bytes()
    built(project, augment={"brightness": 0.2})
    built(project)
    assert preview.read_bytes() == before


def test_written_boxes_lie_on_the_objects(project: Path) -> None:
    """Read back from disk, a perfect detector finds what the labels say, in every picture."""
    data = built(
        project,
        resize={"size": [96, 80], "mode": "fit"},
        augment={"outputs_per_example": 4, "flip": ["horizontal", "vertical"], "rot90": ["clockwise", "upside-down"]},
    )
    dataset, report = read(data.built.folder, "yolo")
    assert len(dataset.images) == 12 * 4 + 8
    assert report.dropped == ()
    for image in dataset.images:
        assert (image.width, image.height) in [(96, 80), (80, 96)]
        (found,) = find_squares(decode(image.file))
        (truth,) = image.truths
        assert (found.label, iou(found.box, truth.box) > 0.9) == (truth.label, True)


def test_every_split_is_resized(project: Path) -> None:
    data = built(project, resize={"size": 128})
    sizes = {Image.open(data.built.picture(name)).size for name in data.built.files}
    assert sizes == {(128, 128)}
    assert {image.suffix for image in data.built.dataset.images} == {".png"}


def test_cut_outs_are_added_to_training_and_augmented_like_photos(project: Path) -> None:
    data = built(loosened(project), cutouts={"share": 0.25}, augment={"outputs_per_example": 2, "flip": "horizontal"})
    names = [image.name for image in data.built.dataset.of("train")]
    assert counts(data) == {"train": 2 * (12 + 3), "val": 4, "test": 4}
    assert sum(name.startswith("cutouts/") for name in names) == 6
    for image in data.built.dataset.of("train"):
        if image.name.startswith("cutouts/"):
            pixels = decode(data.built.picture(image.name))
            assert (pixels[0, 0] == 114).all() or (pixels[-1, -1] == 114).all()
            assert len(image.truths) == 1


def test_ready_cut_outs_come_from_class_folders(project: Path) -> None:
    for name in ("chicken/a.png", "chicken/b.png", "onion/c.png"):
        file = project / "cut" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (40, 30), (200, 30, len(name), 255)).save(file)
    data = built(project, cutouts={"share": 0.25, "source": "cut"})
    added = [image for image in data.built.dataset.images if image.name.startswith("cutouts/")]
    assert sorted(image.truths[0].label for image in added) == ["chicken", "chicken", "onion"]
    assert (data.built.folder / "labels/train/c.txt").read_text() == "1 0.5 0.5 1 1\n"


def test_an_unchanged_augmented_data_set_is_reused(project: Path) -> None:
    asked = {"cutouts": {"share": 0.25}, "resize": {"size": 64}, "augment": {"rotation_deg": 10}}
    loosened(project)
    first, second = built(project, **asked), built(project, **asked)
    assert (first.built.reused, second.built.reused) == (False, True)
    assert not built(project, **{**asked, "augment": {"rotation_deg": 11}}).built.reused


def test_a_photo_becomes_the_same_when_pictures_are_added(project: Path, labelled_folder: Callable[..., Path]) -> None:
    before = {image.name: image for image in built(project, augment={"rotation_deg": 10}).built.dataset.images}
    labelled_folder(project / "datasets" / "raw" / "pictures", start=20, count=4)
    after = {image.name: image for image in built(project, augment={"rotation_deg": 10}).built.dataset.images}
    both = [name for name in before if name in after and "-aug" in name]
    assert len(both) > 10
    assert [after[name].edits for name in both] == [before[name].edits for name in both]


def test_a_base_that_is_augmented_gives_its_splits(project: Path) -> None:
    data = built(loosened(project), augment={"rotation_deg": 10}, cutouts={"share": 0.25})
    dealt = {image.name: image.split for image in data.built.dataset.images if not image.edits}
    write_yaml(project / "attempts" / "8.yaml", {"base": 7, "data": {"augment": None, "split": {"seed": 5}}})
    again = build(attempts.load(project, 8)).built.dataset
    assert {image.name: image.split for image in again.images if not image.edits} == dealt


@pytest.mark.parametrize("base_was", ["unbuilt", "built", "run"])
def test_content_in_several_splits_of_a_base_is_test_whatever_was_done_with_it(project: Path, base_was: str) -> None:
    """The source has pictures of train and val in test, too; train comes after test in its order."""
    pictures = sorted((project / "datasets" / "raw" / "pictures").glob("*.png"))
    names = {"train": pictures[:12], "valid": [*pictures[12:16], pictures[0]], "test": [*pictures[16:], *pictures[:2]]}
    for split, files in names.items():
        for file in files:
            target = project / "yolo" / split / "images" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
            label = project / "yolo" / split / "labels" / f"{file.stem}.txt"
            label.parent.mkdir(exist_ok=True)
            label.write_text("0 0.5 0.5 0.5 0.5\n")
    folders = {"train": "train/images", "val": "valid/images", "test": "test/images"}
    write_yaml(project / "yolo" / "data.yaml", {"names": ["egg"], **folders})
    write_yaml(project / "data.yaml", {"sources": [{"path": "yolo", "format": "yolo"}]})
    first = {"model": "yolov8n", "pretrained": False, "train": {"imgsz": 64, "batch": 4, "epochs": 1}}
    write_yaml(project / "attempts" / "1.yaml", first)
    if base_was == "built":
        build(attempts.load(project, 1))
    elif base_was == "run":
        train(project, 1, track=FakeTrack())
    dataset = build(attempts.load(project, 2)).built.dataset
    found = {(image.name.rpartition("/")[2], image.split) for image in dataset.images}
    assert {split for name, split in found if name in (pictures[0].name, pictures[1].name)} == {"test"}
    assert len(found) == 20


def test_boxes_that_renaming_makes_equal_are_counted(project: Path) -> None:
    """A hen that was boxed as `chicken` and, at the same place, as `onion`."""
    for file in sorted((project / "datasets" / "raw" / "pictures").glob("*.xml"))[:3]:
        text = file.read_text(encoding="utf-8")
        (there,) = re.findall(r"\t<object>.*</object>\n", text, re.DOTALL)
        other = re.sub("<name>(chicken|onion)", lambda m: f"<name>{'onion' if m[1] == 'chicken' else 'chicken'}", there)
        file.write_text(text.replace(there, there + other), encoding="utf-8")
    assert built(project).photos.boxes == 23
    renamed = built(project, rename={"onion": "chicken"})
    assert renamed.photos.boxes == 20
    said = "3 boxes were equal to others once classes were renamed and were left out"
    assert said in renamed.report.notes


def test_a_broken_picture_of_a_data_set_without_a_preview_is_said(project: Path) -> None:
    data = built(project, augment={"brightness": 0.2})
    (project / "datasets" / "attempt-7-preview.png").unlink()
    for image in data.built.dataset.of("train"):
        picture = data.built.picture(image.name)
        size = picture.stat().st_size
        picture.unlink()
        picture.write_bytes(b"?" * size)
    with pytest.raises(AnnotationError, match=r"not a picture .*Remove .*attempt-7 and build it again"):
        built(project, augment={"brightness": 0.2})


def test_the_settings_are_recorded_and_the_judge_sees_the_resized_pictures(project: Path) -> None:
    built(project, resize={"size": 96}, augment={"outputs_per_example": 2, "blur_px": 1.5})
    seen: list[tuple[int, ...]] = []

    def detect(picture: np.ndarray) -> list[Detection]:
        seen.append(picture.shape)
        return find_squares(picture)

    run = train(project, 7, track=FakeTrack(detect))
    record = json.loads((run.folder / "record.json").read_text(encoding="utf-8"))
    assert record["settings"]["data"]["resize"] == {"size": [96, 96]}
    assert record["settings"]["data"]["augment"] == {"outputs_per_example": 2, "blur_px": 1.5}
    assert set(seen) == {(96, 96, 3)}
    assert record["data"]["counts"]["train"]["images"] == 24
    assert json.loads((run.folder / "scores.json").read_text())["test"]["correct"] == 4


def test_what_differs_between_attempts_is_said_key_by_key(project: Path) -> None:
    built(project, augment={"outputs_per_example": 3, "box": {"flip": ["horizontal"]}})
    changes = {"resize": {"size": 320}, "augment": {"box": {"rotation_deg": 15}}}
    write_yaml(project / "attempts" / "8.yaml", {"base": 7, "data": changes})
    assert attempts.load(project, 8).changed == (
        ("data.augment.box.rotation_deg", None, 15),
        ("data.resize", None, {"size": [320, 320]}),
    )


# --- what is refused


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param({"resize": {"size": 0}}, r"data\.resize\.size\.0: is 0\. It should be greater", id="size 0"),
        pytest.param({"resize": {"size": "640"}}, "a size is a number of pixels", id="size as a word"),
        pytest.param({"resize": {"size": [1, 2, 3]}}, "a size is a number of pixels", id="three sizes"),
        pytest.param({"resize": {"size": True}}, "a size is a number of pixels", id="size yes"),
        pytest.param({"resize": {}}, r"data\.resize\.size: is missing", id="no size"),
        pytest.param({"resize": {"size": 64, "mode": "crop"}}, r"data\.resize\.mode: is 'crop'", id="mode"),
        pytest.param({"augment": {}}, "does not say what to do", id="nothing asked for"),
        pytest.param({"augment": {"box": {}}}, "does not say what to do", id="nothing asked for in boxes"),
        pytest.param({"augment": {"flip": []}}, "does not say what to do", id="an empty list"),
        pytest.param({"augment": {"flip": ["sideways"]}}, r"data\.augment\.flip\.0: is 'sideways'", id="flip"),
        pytest.param({"augment": {"flip": ["vertical"] * 2}}, "stands there twice", id="twice the same flip"),
        pytest.param({"augment": {"blur_px": 3, "outputs_per_example": 1}}, "outputs_per_example: is 1", id="one output"),
        pytest.param({"augment": {"blur_px": 3, "outputs_per_example": 2.5}}, "outputs_per_example: is 2.5", id="a half"),
        pytest.param({"augment": {"rotation_deg": 46}}, "rotation_deg: is 46", id="rotation"),
        pytest.param({"augment": {"rotation_deg": float("nan")}}, "rotation_deg: is nan", id="not a number"),
        pytest.param({"augment": {"brightness": 25}}, "brightness: is 25", id="brightness in per cent"),
        pytest.param({"augment": {"blur_px": -1}}, "blur_px: is -1", id="negative blur"),
        pytest.param({"augment": {"box": {"rot90": ["clockwise"]}}}, "rot90: no such key", id="quarter turns in boxes"),
        pytest.param({"cutouts": {"share": 0.9}}, r"data\.cutouts\.share: is 0\.9", id="too many cut-outs"),
        pytest.param({"cutouts": {"source": "cut"}}, r"data\.cutouts\.share: is missing", id="no share"),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(project: Path, data: dict[str, Any], said: str) -> None:
    with pytest.raises(AttemptError, match=said):
        built(project, **data)
    assert not (project / "datasets" / "attempt-7").exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({}, "cut: there is no such folder", id="no folder"),
        pytest.param({"a.png": "RGBA"}, r"a\.png: lies in no folder of a class", id="no class"),
        pytest.param({"pork/a.png": "RGBA"}, "data.cutouts.source: pork: no class has this name", id="unknown class"),
        pytest.param({"onion/a.png": "RGB"}, r"a\.png: it has no alpha", id="no alpha"),
        pytest.param({"onion/a.png": None}, "cut: onion/a.png: not a picture", id="no picture"),
    ],
)
def test_impossible_cut_outs_are_refused(project: Path, files: dict[str, str | None], said: str) -> None:
    for name, mode in files.items():
        file = project / "cut" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if mode:
            Image.new(mode, (40, 30), "red").save(file)
        else:
            file.write_text("nothing")
    with pytest.raises(PipelineError, match=said) as error:
        built(project, cutouts={"share": 0.1, "source": "cut"})
    assert error.value.exit_code == 3


def test_too_few_objects_name_the_file_and_the_key(project: Path) -> None:
    """GrabCut cannot tell a square that fills its box from what surrounds it."""
    with pytest.raises(DataError, match=r"attempts/7\.yaml: data\.cutouts: 50% of train are 6 cut-outs, 6 are missing"):
        built(project, cutouts={"share": 0.5})


# --- classes that must not be mirrored


def digits(project: Path) -> Path:
    for file in (project / "datasets" / "raw" / "pictures").glob("*.xml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("<name>chicken", "<name>6").replace("<name>onion", "<name>3"), encoding="utf-8")
    return project


@pytest.mark.parametrize(
    ("train", "augment", "said"),
    [
        pytest.param({}, None, ["train.fliplr may make another sign of 3, 6 (set it to 0)"], id="Ultralytics' default"),
        pytest.param({"fliplr": 0.0}, None, [], id="switched off"),
        pytest.param(
            {"fliplr": 0.0, "flipud": 0.2}, None, ["train.flipud may make another sign of 6 (set it to 0)"], id="flipud"
        ),
        pytest.param(
            {"fliplr": 0.0, "degrees": 180},
            None,
            ["train.degrees may make another sign of 6 (set it to 0)"],
            id="degrees",
        ),
        pytest.param({"fliplr": 0.0, "degrees": 15}, None, [], id="a few degrees"),
        pytest.param(
            {"fliplr": 0.0},
            {"flip": ["horizontal"], "box": {"flip": ["vertical"]}},
            [
                "data.augment.flip may make another sign of 3, 6 (leave it out); "
                "data.augment.box.flip may make another sign of 6 (leave it out)"
            ],
            id="augmentation",
        ),
    ],
)
def test_digits_that_are_mirrored_are_noted(
    project: Path, train: dict[str, Any], augment: dict[str, Any] | None, said: list[str]
) -> None:
    data = built(digits(project), train, **({"augment": augment} if augment else {}))
    assert [note for note in data.report.notes if "another sign" in note] == said


def test_other_classes_are_not(project: Path) -> None:
    assert [note for note in built(project).report.notes if "another sign" in note] == []


def test_the_attempts_of_this_repository_switch_mirroring_off() -> None:
    first = yaml.safe_load((Path(__file__).parents[2] / "attempts" / "1.yaml").read_text(encoding="utf-8"))
    assert first["train"]["fliplr"] == 0.0


def test_cut_outs_of_classes_that_were_not_chosen_are_passed_over(project: Path) -> None:
    for label in ("chicken", "onion"):
        (project / "cut" / label).mkdir(parents=True)
        pixels = np.zeros((30, 40, 4), np.uint8)
        pixels[5:25, 5:35] = 255
        Image.fromarray(pixels).save(project / "cut" / label / "a.png")
    data = built(project, classes=["onion"], cutouts={"share": 0.1, "source": "cut"})
    assert "cut-outs of classes that were not chosen are passed over: chicken" in data.report.notes
    assert [i.truths[0].label for i in data.built.dataset.images if i.name.startswith("cutouts/")] == ["onion"]
