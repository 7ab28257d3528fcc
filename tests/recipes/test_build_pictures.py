"""Data sets of a classification attempt: from folders by class, from the boxes of a detector, built in; what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import write_yaml
from PIL import Image

from yolo_pipeline import attempt as attempts
from yolo_pipeline import digit_pictures, images
from yolo_pipeline.building.writing import counts
from yolo_pipeline.classification import is_whole
from yolo_pipeline.errors import AnnotationError, AttemptError, DataError, InputError
from yolo_pipeline.nouns import SPLITS
from yolo_pipeline.recipes.build import Build, build, require_sources

SPLIT = {"train": 0.6, "val": 0.2, "test": 0.2}


def fill(folder: Path, names: list[str], size: tuple[int, int] = (24, 24)) -> Path:
    """Pictures of noise, each another; the same name gives the same bytes."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def many(*classes: str, count: int = 5, splits: tuple[str, ...] = ("train", "val")) -> list[str]:
    return [f"{split}/{name}/{number}.png" for split in splits for name in classes for number in range(count)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two classes in train and val, and attempt 1 on them."""
    fill(tmp_path / "pictures", many("cat", "dog"))
    write_yaml(tmp_path / "data.yaml", {"sources": [{"path": "pictures"}]})
    attempt(tmp_path)
    return tmp_path


def attempt(root: Path, number: int = 1, **said: Any) -> int:
    first = {"track": "classify", "model": "resnet18", "pretrained": False, "train": {"imgsz": 32}}
    write_yaml(root / "attempts" / f"{number}.yaml", {**({} if "base" in said else first), **said})
    return number


def built(root: Path, number: int = 1) -> Build:
    return build(attempts.load(root, number))


def refused(root: Path, number: int = 1) -> str:
    with pytest.raises(InputError) as error:
        built(root, number)
    assert error.value.exit_code == 3
    assert not list(root.glob("datasets/*attempt*"))
    return str(error.value)


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_folders_are_built_by_split_and_class(root: Path) -> None:
    data = built(root)
    assert data.built.folder == root / "datasets" / "attempt-1"
    assert sorted(below(data.built.folder)) == sorted([*many("cat", "dog"), "build.json", "classes.json"])
    assert data.built.files["train/cat/0.png"] == "train/cat/0.png"
    assert data.built.dataset.names == ("cat", "dog")
    assert counts(data.built.dataset)["val"] == {
        "images": 10,
        "boxes": 10,
        "backgrounds": 0,
        "classes": {"cat": 5, "dog": 5},
    }
    assert (data.built.folder / "train/cat/0.png").samefile(root / "pictures/train/cat/0.png")


def test_what_is_there_is_taken_again_and_what_is_damaged_is_not(root: Path) -> None:
    first = built(root).built
    assert built(root).built.reused
    (first.folder / "train/cat/0.png").unlink()
    assert not built(root).built.reused
    (first.folder / "classes.json").unlink()
    assert not built(root).built.reused
    assert below(first.folder)["train/cat/0.png"] == (root / "pictures/train/cat/0.png").read_bytes()


def test_one_folder_for_all_attempts_changes_its_layout_with_the_track(
    root: Path, labelled_folder: Callable[..., Path]
) -> None:
    labelled_folder(root / "boxes")
    write_yaml(root / "data.yaml", {"path": "datasets/now", "split": SPLIT})
    write_yaml(root / "attempts/2.yaml", {"model": "yolov8n", "data": {"sources": [{"path": "boxes"}]}})
    attempt(root, 3, data={"crops_of": {"path": "boxes"}})
    assert (built(root, 2).built.folder / "images/train").is_dir()
    folder = built(root, 3).built.folder
    assert folder == root / "datasets/now"
    assert sorted(path.name for path in folder.iterdir()) == ["build.json", "classes.json", "test", "train", "val"]
    built(root, 2)
    assert (folder / "labels/val").is_dir()
    assert not (folder / "classes.json").exists()


def test_the_two_layouts_of_the_same_pictures_are_two_data_sets(root: Path) -> None:
    from yolo_pipeline.building.writing import fingerprint

    data = built(root)
    assert fingerprint(data.built.dataset, data.hashes, "classify") == data.built.fingerprint
    assert fingerprint(data.built.dataset, data.hashes) != data.built.fingerprint


def test_pictures_are_dealt_where_they_have_no_split(root: Path) -> None:
    fill(root / "loose", [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(10)])
    attempt(root, 2, data={"sources": [{"path": "loose"}], "split": SPLIT})
    dataset = built(root, 2).built.dataset
    assert {split: Counter(i.truths[0].label for i in dataset.of(split)) for split in SPLITS} == {
        "train": {"cat": 6, "dog": 6}, "val": {"cat": 2, "dog": 2}, "test": {"cat": 2, "dog": 2}
    }  # fmt: skip


def test_a_base_is_taken_over(root: Path) -> None:
    attempt(root, 2, data={"sources": [{"path": "pictures"}], "split": {**SPLIT, "seed": 1}})
    attempt(root, 3, base=2, data={"resize": {"size": 32}}, train={"epochs": 3})
    before, after = built(root, 2).built.dataset, built(root, 3).built.dataset
    assert [(i.name, i.split) for i in after.images] == [(i.name, i.split) for i in before.images]
    assert {(i.width, i.height) for i in after.images} == {(32, 32)}


def test_other_classes_are_left_out_and_not_background(root: Path) -> None:
    fill(root / "pictures", many("eel", "fox"))
    attempt(root, 2, data={"classes": ["eel", "cat"]})
    data = built(root, 2)
    assert data.built.dataset.names == ("eel", "cat")
    assert Counter(i.truths[0].label for i in data.built.dataset.images) == {"eel": 10, "cat": 10}
    assert "20 pictures of classes that were not chosen were left out" in data.report.notes


def test_sources_are_joined_and_disagreement_is_told(root: Path) -> None:
    fill(root / "more", many("Katze", count=7))
    (root / "more/train/dog").mkdir()
    (root / "more/train/dog/same.png").write_bytes((root / "pictures/train/cat/0.png").read_bytes())
    sources = [{"path": "pictures"}, {"path": "more"}]
    attempt(root, 2, data={"sources": sources, "rename": {"Katze": "cat"}})
    data = built(root, 2)
    assert data.built.dataset.names == ("cat", "dog")
    assert Counter(i.truths[0].label for i in data.built.dataset.images) == {"cat": 24, "dog": 10}
    conflicts = [f"{c.file}: {c.why}" for c in data.report.dropped if c.what == "conflict"]
    assert conflicts == ["2/train/dog/same.png: dog here is cat in 1/train/cat/0.png, which stays"]


def test_crops_keep_the_splits_that_the_detector_was_built_with(project: Path) -> None:
    source = {"path": "datasets/raw/pictures", "format": "labelimg"}
    attempt(project, 4, data={"crops_of": source}, base=1, track="classify", model="resnet18", train={})
    detector, crops = built(project, 1), built(project, 4)
    assert {i.name for i in crops.photos.images} == {f"photo_{n:03}-1.png" for n in range(20)}
    split_of = {image.file: image.split for image in detector.photos.images}
    assert [split_of[image.file] for image in crops.photos.images] == [image.split for image in crops.photos.images]
    assert crops.built.dataset.names == ("chicken", "onion")
    picture = np.asarray(Image.open(crops.built.picture("photo_001-1.png")))
    assert np.all(picture == (30, 30, 200))


def test_classes_are_chosen_before_boxes_are_cropped(project: Path) -> None:
    data = {
        "crops_of": {"path": "datasets/raw/pictures", "format": "labelimg"},
        "rename": {"chicken": "hen"},
        "classes": ["onion", "hen"],
    }
    attempt(project, 4, data={**data, "split": SPLIT})
    assert built(project, 4).built.dataset.names == ("onion", "hen")
    attempt(project, 5, data={**data, "classes": ["onion"], "split": SPLIT})
    with pytest.raises(DataError, match="one class only, and nothing to tell it from: onion"):
        built(project, 5)


def test_crops_and_folders_together(project: Path) -> None:
    fill(project / "pictures", many("onion", "leek", splits=("train", "val", "test")))
    data = {"sources": [{"path": "pictures"}], "crops_of": "datasets/raw/pictures", "split": SPLIT}
    attempt(project, 4, data=data)
    counted = Counter(i.truths[0].label for i in built(project, 4).built.dataset.images)
    assert counted == {"onion": 25, "leek": 15, "chicken": 10}


@pytest.mark.parametrize(
    ("edits", "size"),
    [
        pytest.param({"resize": {"size": [64, 32], "mode": "fit"}}, (64, 32), id="fit: margins belong to the picture"),
        pytest.param({"resize": {"size": [256, 32], "mode": "fill"}}, (256, 32), id="fill: most is cut off"),
        pytest.param({"resize": {"size": 37}}, (37, 37), id="stretch to a size that does not divide"),
        pytest.param({"augment": {"outputs_per_example": 4, "rotation_deg": 45, "brightness": 0.2, "blur_px": 2}}, (11, 300), id="rotated by up to 45"),
        pytest.param({"augment": {"outputs_per_example": 2, "flip": ["horizontal", "vertical"], "rot90": ["clockwise"]}}, None, id="flips and quarter turns"),
    ],
)  # fmt: skip
def test_edited_pictures_stay_whole(root: Path, edits: dict[str, Any], size: tuple[int, int] | None) -> None:
    fill(root / "long", many("cat", "dog"), size=(11, 300))
    attempt(root, 2, data={"sources": [{"path": "long"}], **edits})
    data = built(root, 2)
    outputs = edits.get("augment", {}).get("outputs_per_example", 1)
    assert Counter(i.truths[0].label for i in data.built.dataset.of("train")) == {
        "cat": 5 * outputs,
        "dog": 5 * outputs,
    }
    assert all(map(is_whole, data.built.dataset.images))
    assert data.report.dropped == ()
    for image in data.built.dataset.images:
        assert Image.open(data.built.picture(image.name)).size == (image.width, image.height)
        assert size in (None, (image.width, image.height))


def test_crops_of_one_photo_are_changed_in_ways_of_their_own(project: Path) -> None:
    from yolo_pipeline.formats.voc import annotation_xml
    from yolo_pipeline.nouns import Box, Truth

    truths = [Truth(Box(x, y, x + 20, y + 20), "hen" if x else "egg") for x in (0, 20, 40) for y in (0, 20, 40)]
    for number in range(6):
        (picture,) = [fill(project / "grid", [f"{number}.png"], size=(64, 64)) / f"{number}.png"]
        picture.with_suffix(".xml").write_text(annotation_xml(truths, picture, 64, 64, origin=0))
    augment = {"outputs_per_example": 2, "rotation_deg": 30}
    attempt(project, 4, data={"crops_of": {"path": "grid", "format": "labelimg"}, "split": SPLIT, "augment": augment})
    data = built(project, 4)
    turned = [i.edits[1] for i in data.built.dataset.of("train") if len(i.edits) > 1]
    assert len(turned) == len(set(turned)) > 20
    assert (project / "datasets/attempt-4-preview.png").is_file()


def test_orientation_is_warned_of(root: Path) -> None:
    fill(root / "digits", many("2", "6", "1"))
    sources = [{"path": "digits"}]
    attempt(root, 2, data={"sources": sources, "augment": {"flip": ["horizontal"]}})
    assert "data.augment.flip may make another sign of 2, 6 (leave it out)" in built(root, 2).report.notes
    attempt(root, 3, data={"sources": sources}, train={"imgsz": 32, "augment": {"flip": ["horizontal"]}})
    assert "train.augment.flip may make another sign of 2, 6 (leave it out)" in built(root, 3).report.notes


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param([*many("cat", "dog"), "val/eel/1.png", "val/eel/2.png", "test/fox/1.png", "test/fox/2.png", "val/fox/3.png"], "classes of which train has no picture, but others have: eel (val), fox (val, test)", id="classes that train lacks"),
        pytest.param([*many("cat", "dog"), "val/eel/1.png"], "classes of which train has no picture, but others have: eel (val)", id="a single picture, and that is in val"),
        pytest.param([*many("cat", "dog"), "train/eel/1.png"], "classes of fewer than 2 pictures: eel (1)", id="one picture of a class"),
        pytest.param([*many("cat", "dog"), "train/eel/1.png", "val/eel/2.png"], "classes of which train has fewer than 2 pictures: eel (1)", id="one picture of a class in train"),
        pytest.param(many("cat"), "there is one class only, and nothing to tell it from: cat", id="one class"),
        pytest.param(many("cat", "dog", splits=("train",)), "there is no labelled image in val", id="no val"),
    ],
)  # fmt: skip
def test_unlearnable_classes(tmp_path: Path, names: list[str], said: str) -> None:
    fill(tmp_path / "pictures", names)
    attempt(tmp_path, data={"sources": [{"path": "pictures", "format": "folders"}]})
    assert refused(tmp_path).startswith(f"{tmp_path.as_posix()}/attempts/1.yaml: data: {said}. ")


def test_empty_class_folders_and_unreadable_pictures(root: Path) -> None:
    (root / "pictures/val/eel").mkdir()
    assert refused(root) == (
        f"{root}/pictures: 1 folder of a class without a picture: val/eel. Put pictures of the class there, or remove the folder"
    )
    (root / "pictures/val/eel").rmdir()
    (root / "pictures/val/dog/x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "pictures/val/dog/y.png").write_bytes(b"")
    assert (
        "2 files cannot be read: val/dog/x.png: it begins like a picture, but is broken or truncated; val/dog/y.png: the file is empty"
        in refused(root)
    )


def test_a_picture_that_is_cut_short_is_found_before_training(root: Path) -> None:
    whole = (root / "pictures/train/cat/0.png").read_bytes()
    (root / "pictures/train/cat/0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AnnotationError, match=r"1 cannot be trained on: .*train/cat/0.png: "):
        built(root)
    assert list((root / "datasets").iterdir()) == []


def test_boxes_as_sources_of_a_classifier_and_folders_as_those_of_a_detector(project: Path) -> None:
    attempt(project, 4)
    where = f"{project.as_posix()}/data.yaml: data.sources: datasets/raw/pictures"
    assert refused(project, 4) == (
        f"{where}: 20 of its 20 pictures have boxes, or no class, such as photo_000.png. "
        "Name it under `crops_of:` in place of `sources:`, and each box becomes a picture"
    )
    fill(project / "pictures", many("cat", "dog"))
    attempt(project, 5, data={"crops_of": "pictures"})
    assert (
        "data.crops_of: pictures: holds folders by class, which have no boxes to crop. Name it under sources"
        in refused(project, 5)
    )
    for number, source in ((6, {"path": "pictures"}), (7, {"path": "pictures", "format": "folders"})):
        write_yaml(project / f"attempts/{number}.yaml", {"model": "yolov8n", "data": {"sources": [source]}})
        assert (
            "data.sources: pictures: holds folders by class, which have no boxes to learn from. Say `track: classify`"
            in refused(project, number)
        )


def test_crops_are_for_classifiers(project: Path) -> None:
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"crops_of": "datasets/raw/pictures"}})
    with pytest.raises(AttemptError, match=r"data\.crops_of: is for the track classify, not for yolo"):
        attempts.load(project, 4)


def test_an_empty_source_of_crops_is_refused_before_anything_is_made(project: Path) -> None:
    (project / "empty").mkdir()
    attempt(project, 4, data={"crops_of": "empty"})
    with pytest.raises(AnnotationError, match="empty: holds no picture"):
        require_sources(attempts.load(project, 4))


def test_how_small_pictures_may_be_depends_on_who_trains(root: Path) -> None:
    fill(root / "tiny", many("cat", "dog"), size=(8, 8))
    attempt(root, 2, data={"sources": [{"path": "tiny"}]})
    assert {(i.width, i.height) for i in built(root, 2).built.dataset.images} == {(8, 8)}
    attempt(root, 3, model="yolov8n-cls", data={"sources": [{"path": "tiny"}]})
    with pytest.raises(AnnotationError, match=r"20 cannot be trained on: .*: 8x8 pixels are too few"):
        built(root, 3)


def test_only_train_and_val_are_no_error(root: Path) -> None:
    assert set(counts(built(root).built.dataset)) == {"train", "val"}


def test_hostile_class_names_are_built(root: Path) -> None:
    names = ["a%b", "CON", "Cat", "cat", "닭", "-rf", "$(x)"]
    fill(root / "odd", [f"{split}/{name}/{n}.png" for split in ("train", "val") for name in names for n in (1, 2)])
    attempt(root, 2, data={"sources": [{"path": "odd"}], "rename": {"a%b": "../a/b"}})
    data = built(root, 2).built
    assert data.dataset.names == tuple("../a/b" if name == "a%b" else name for name in sorted(names))
    assert all(data.picture(name).resolve().is_relative_to(data.folder.resolve()) for name in data.files)
    assert {len(Path(file).parts) for file in data.files.values()} == {3}


@pytest.fixture
def of_digits(tmp_path: Path) -> Path:
    write_yaml(tmp_path / "data.yaml", {"builtin": "digits", "sources": [{"path": "datasets/raw/digit-pictures"}]})
    attempt(tmp_path)
    return tmp_path


def test_the_built_in_digits_are_made_where_they_are_named(of_digits: Path) -> None:
    require_sources(attempts.load(of_digits, 1))
    data = built(of_digits)
    assert [path.name for path in (of_digits / "datasets/raw").iterdir()] == ["digit-pictures"]
    assert {split: len(data.photos.of(split)) for split in SPLITS} == {"train": 597, "val": 200, "test": 1000}
    assert data.built.dataset.names == tuple("0123456789")
    for split, (least, most) in {"train": (57, 62), "val": (19, 21), "test": (96, 103)}.items():
        by_class = counts(data.built.dataset)[split]["classes"].values()
        assert least <= min(by_class) <= max(by_class) <= most


def test_digit_pictures_are_the_same_bytes_each_time_and_each_digit_once(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    for name in ("one", "two"):
        digit_pictures.make(tmp_path / name)
    files = below(tmp_path / "one")
    assert files == below(tmp_path / "two")
    assert sorted(Path(name).stem for name in files) == [f"{number:04}" for number in range(1797)]
    digits = load_digits()
    for name in list(files)[::300]:
        picture = Image.open(tmp_path / "one" / name)
        assert (picture.mode, picture.size) == ("L", (32, 32))
        number = int(Path(name).stem)
        assert int(Path(name).parent.name) == digits.target[number]
        small = np.asarray(picture.resize((8, 8), Image.Resampling.BOX), dtype=float) / 255
        assert np.corrcoef(small.ravel(), digits.images[number].ravel())[0, 1] > 0.97
    assert len({images.sha256(tmp_path / "one" / name) for name in files}) == 1797


def test_a_base_of_built_in_scenes_has_them_made(of_digits: Path) -> None:
    scenes = [{"path": "datasets/raw/digits/redrawn", "images": "datasets/raw/digits/scenes", "format": "labelimg"}]
    write_yaml(of_digits / "attempts/2.yaml", {"model": "yolov8n", "data": {"sources": scenes, "split": SPLIT}})
    attempt(
        of_digits,
        3,
        base=2,
        track="classify",
        model="resnet18",
        train={"imgsz": 32},
        data={"crops_of": scenes[0], "classes": ["3", "8"]},
    )
    data = built(of_digits, 3)
    assert [path.name for path in (of_digits / "datasets/raw").iterdir()] == ["digits"]
    assert data.built.dataset.names == ("3", "8")
    assert len(data.built.dataset.images) > 80
