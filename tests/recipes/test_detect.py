"""Detection on folders nobody cleaned: what is left behind, interruptions, the same bytes."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended, FakeTrack, find_squares, write_yaml
from PIL import Image

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.recipes.detect import Order, detect
from yolo_pipeline.recipes.models import Model, model_of_attempt, model_of_weights
from yolo_pipeline.recipes.train import train

CONF = (0.3, 0.5)


def surely(picture: np.ndarray) -> list[Detection]:
    """The square at 0.9; of an onion, a second box at 0.4."""
    found = find_squares(picture)
    return [*found, *(Detection(Box(1, 2, 11.126, 12), "chicken", 0.4) for one in found if one.label == "onion")]


def model(tmp_path: Path, detect: Callable[[np.ndarray], list[Detection]] = surely) -> Model:
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"whole")
    return Model("attempt 5", FakeTrack(detect), weights, "5" * 64, Asking(imgsz=64), 0.25)  # type: ignore[arg-type]


@pytest.fixture
def scraped(tmp_path: Path, labelled_folder: Callable[..., Path]) -> Path:
    """Four pictures: two chickens, two onions; no labels."""
    folder = labelled_folder(tmp_path / "scraped", 4)
    for file in folder.glob("*.xml"):
        file.unlink()
    return folder


def order(*sources: Path | str, out: Path | None = None, **more: object) -> Order:
    return replace(Order(tuple(map(str, sources)), thresholds=CONF, out=out), **more)  # type: ignore[arg-type]


def rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def content(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".seen.jsonl"
    }


def test_one_look_gives_every_threshold(tmp_path: Path, scraped: Path) -> None:
    used = model(tmp_path)
    out = tmp_path / "out"
    detected = detect(tmp_path, used, order(scraped, out=out))
    assert detected.counts.images == 4
    assert detected.counts.images_with_boxes == {0.3: 4, 0.5: 4}
    assert detected.counts.boxes == {0.3: {"chicken": 4, "onion": 2}, 0.5: {"chicken": 2, "onion": 2}}
    assert detected.counts.vanished(0.5) == 2
    header, *boxes = rows(out / "detections.csv")
    assert header == ["image", "class", "score", "x0", "y0", "x1", "y1"]
    assert [row[:3] for row in boxes if row[0] == "photo_001.png"] == [
        ["photo_001.png", "onion", "0.9000"],
        ["photo_001.png", "chicken", "0.4000"],
    ]
    assert [float(value) for value in boxes[2][3:]] == [1.0, 2.0, 11.13, 12.0]
    assert sorted(name for name in content(out) if name.startswith("pictures/")) == [
        f"pictures/{threshold}/photo_00{number}.png.jpg" for threshold in ("0.3", "0.5") for number in range(4)
    ]
    coco = json.loads((out / "detections.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in coco["categories"]] == ["chicken", "onion"]
    assert len(coco["annotations"]) == 6
    assert json.loads((out / "detect.json").read_text(encoding="utf-8"))["thresholds"] == {
        "0.3": {"boxes": 6, "images_with_boxes": 4, "classes": {"chicken": 4, "onion": 2}},
        "0.5": {"boxes": 4, "images_with_boxes": 4, "classes": {"chicken": 2, "onion": 2}},
    }
    assert "2 boxes vanish" in (out / "detections.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "boxes"),
    [
        pytest.param(
            {"classes": ("chicken",)}, {0.3: {"chicken": 4}, 0.5: {"chicken": 2}}, id="screening for one class"
        ),
        pytest.param(
            {"most": 1}, {0.3: {"chicken": 2, "onion": 2}, 0.5: {"chicken": 2, "onion": 2}}, id="the best box alone"
        ),
        pytest.param(
            {"classes": ("chicken",), "most": 1},
            {0.3: {"chicken": 4}, 0.5: {"chicken": 2}},
            id="the best of the classes asked for",
        ),
    ],
)
def test_views(tmp_path: Path, scraped: Path, more: dict[str, object], boxes: dict[float, dict[str, int]]) -> None:
    detected = detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "out", **more))
    assert detected.counts.boxes == boxes


@pytest.mark.parametrize(
    ("said", "used"), [pytest.param(None, 0.45, id="the model's own"), pytest.param(0.3, 0.3, id="the user's")]
)
def test_the_overlap_is_the_models_own_unless_it_is_said(
    tmp_path: Path, scraped: Path, said: float | None, used: float
) -> None:
    own = replace(model(tmp_path), asking=Asking(imgsz=64, iou=0.45, device="0"))
    asked: list[Asking] = []
    opening = own.track.open
    own.track.open = lambda weights, asking, runtime="": asked.append(asking) or opening(weights, asking)  # type: ignore[func-returns-value, method-assign]
    detect(tmp_path, own, order(scraped, out=tmp_path / "out", iou=said))
    assert asked == [Asking(imgsz=64, iou=used, conf=0.3, device=None)]
    assert json.loads((tmp_path / "out" / "detect.json").read_text(encoding="utf-8"))["iou"] == used


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        pytest.param(None, False, id="nothing"),
        pytest.param(0.6, False, id="its own"),
        pytest.param(0.7, True, id="what stands for nothing elsewhere"),
        pytest.param(0.3, True, id="another"),
    ],
)
def test_a_network_that_suppresses_by_itself_is_asked_for_no_other_overlap(
    tmp_path: Path, scraped: Path, said: float | None, refused: bool
) -> None:
    own = model(tmp_path)
    opening = own.track.open
    own.track.open = lambda *asked: replace(opening(*asked), own_iou=0.6)  # type: ignore[method-assign]
    asked = order(scraped, out=tmp_path / "out", iou=said)
    if refused:
        with pytest.raises(InputError, match=rf"suppresses by itself, at IoU 0\.6; {said} cannot be had of it"):
            detect(tmp_path, own, asked)
    else:
        detect(tmp_path, own, asked)
        assert json.loads((tmp_path / "out" / "detect.json").read_text(encoding="utf-8"))["iou"] == 0.6


@dataclass
class Crowded(FakeTrack):
    """Its scores depend on the pictures that are asked together, as those of a network do in their last digits."""

    def open(self, weights: Path, asking: Asking, runtime: str = "torch") -> Predictor:
        def find(batch: Sequence[np.ndarray]) -> list[list[Detection]]:
            together = sum(float(picture.mean()) for picture in batch) % 1 / 2
            return [[replace(one, score=0.4 + together) for one in self.detect(picture)] for picture in batch]

        return Predictor(find, ("chicken", "onion"), 64, batch=3, callers=2)


@pytest.mark.parametrize("after", [1, 5, 9, 14])
def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, labelled_folder: Callable[..., Path], after: int
) -> None:
    """Ctrl-C as it comes: to the main thread, whatever it is doing. One picture of a group cannot be read."""
    scraped = labelled_folder(tmp_path / "scraped", 40)
    (scraped / "photo_004.png").write_bytes(b"no picture")
    used = model(tmp_path)
    crowded = replace(used, track=Crowded(find_squares))  # type: ignore[arg-type]
    whole, half = tmp_path / "whole", tmp_path / "half"
    detect(tmp_path, crowded, order(scraped, out=whole, crops=True))
    asked: list[int] = []

    def tires(picture: np.ndarray) -> list[Detection]:
        asked.append(1)
        if len(asked) == after:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return find_squares(picture)

    with pytest.raises(KeyboardInterrupt):
        detect(tmp_path, replace(used, track=Crowded(tires)), order(scraped, out=half, crops=True))  # type: ignore[arg-type]
    assert after <= len(asked) < 39
    assert not (half / "detect.json").exists()
    detect(tmp_path, crowded, order(scraped, out=half, crops=True))
    assert content(half) == content(whole)


def test_what_was_seen_before_an_interruption_is_not_asked_again(tmp_path: Path, scraped: Path) -> None:
    out = tmp_path / "out"

    class Tired(Silent):
        def at(self, what: str, done: float, total: float, detail: str = "") -> None:
            raise KeyboardInterrupt  # the first two are kept

    with pytest.raises(KeyboardInterrupt):
        detect(tmp_path, model(tmp_path), order(scraped, out=out), Tired())
    asked: list[int] = []
    detect(tmp_path, model(tmp_path, lambda picture: asked.append(1) or surely(picture)), order(scraped, out=out))
    assert len(asked) == 2


def test_what_lies_there_is_what_the_tables_say(tmp_path: Path, scraped: Path) -> None:
    """Pictures gone and changed leave nothing behind; what somebody else put there stays."""
    out = tmp_path / "out"
    labelled = scraped / "more"
    labelled.mkdir()
    shutil.copy(scraped / "photo_003.png", labelled / "gone.png")
    detect(tmp_path, model(tmp_path), order(scraped, out=out, crops=True))
    assert (out / "pictures" / "0.5" / "more" / "gone.png.jpg").is_file()
    (out / "pictures" / "0.3" / "mine.txt").write_text("by hand")
    shutil.rmtree(labelled)
    Image.new("RGB", (64, 64), "white").save(scraped / "photo_001.png")  # nothing is on it
    (scraped / "photo_002.png").write_bytes(b"no picture any more")
    detected = detect(tmp_path, model(tmp_path), order(scraped, out=out, crops=True))
    assert any(note.startswith("3 pictures of an earlier run are gone or have changed") for note in detected.notes)
    assert (out / "pictures" / "0.3" / "mine.txt").read_text() == "by hand"
    (out / "pictures" / "0.3" / "mine.txt").unlink()
    fresh = tmp_path / "fresh"
    detect(tmp_path, model(tmp_path), order(scraped, out=fresh, crops=True))
    assert content(out) == content(fresh)
    assert not (out / "pictures" / "0.3" / "more").exists()


def test_a_contact_sheet_of_nothing_is_taken_away(tmp_path: Path, scraped: Path) -> None:
    out = tmp_path / "out"
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    assert (out / "contact-sheet.jpg").is_file()
    for file in scraped.iterdir():
        Image.new("RGB", (64, 64), "white").save(file)
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    assert not (out / "contact-sheet.jpg").exists()


def test_the_first_frame_of_an_animation_is_read_and_said(tmp_path: Path, scraped: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black")]
    frames[0].save(scraped / "moving.gif", save_all=True, append_images=frames[1:])
    detected = detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "out"))
    assert detected.counts.noted == 1
    assert "the first of 2 frames" in (tmp_path / "out" / "detections.html").read_text(encoding="utf-8")


def test_the_models_own_confidence_has_as_many_decimals_as_scores(tmp_path: Path, scraped: Path) -> None:
    used = replace(model(tmp_path, lambda _: [Detection(Box(1, 2, 3, 4), "onion", 0.448845)]), conf=0.448843)
    detected = detect(tmp_path, used, order(scraped, out=tmp_path / "out", thresholds=None))
    assert detected.counts.boxes == {0.4488: {"onion": 4}}
    assert (tmp_path / "out" / "pictures" / "0.4488").is_dir()


def test_backgrounds_are_mined_only_where_they_can_be(tmp_path: Path, scraped: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("1")
    with pytest.raises(InputError, match="holds something else"):
        detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "out", mine=tmp_path / "thesis"))
    assert not (tmp_path / "out").exists()


def test_classes_are_found_however_their_letters_are_stored(tmp_path: Path, scraped: Path) -> None:
    class Korean(FakeTrack):
        def open(self, weights: Path, asking: Asking, runtime: str = "torch") -> Predictor:
            return Predictor(lambda batch: [[Detection(Box(1, 2, 3, 4), "닭, 한 마리", 0.9)] for _ in batch],
                             ("닭, 한 마리",), 64)  # fmt: skip

    used = replace(model(tmp_path), track=Korean())  # type: ignore[arg-type]
    decomposed = unicodedata.normalize("NFD", "닭, 한 마리")
    detected = detect(tmp_path, used, order(scraped, out=tmp_path / "out", classes=(decomposed,)))
    assert detected.counts.boxes[0.3] == {"닭, 한 마리": 4}


def test_a_second_run_looks_at_new_and_changed_pictures_alone(tmp_path: Path, scraped: Path) -> None:
    out = tmp_path / "out"
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    shutil.copy(scraped / "photo_000.png", scraped / "new.png")
    Image.new("RGB", (20, 10)).save(scraped / "photo_001.png")
    (scraped / "photo_002.png").unlink()
    seen: list[tuple[int, ...]] = []
    used = model(tmp_path, lambda picture: seen.append(picture.shape) or surely(picture))
    detected = detect(tmp_path, used, order(scraped, out=out))
    assert sorted(seen) == [(10, 20, 3), (64, 64, 3)]
    assert detected.counts.images == 4
    assert {row[0] for row in rows(out / "detections.csv")[1:]} == {"new.png", "photo_000.png", "photo_003.png"}


@pytest.mark.parametrize("damage", [b'{"name": "photo', b"\xff\xfe\n", b"[]\n", b'{"name": 1}\n'], ids=repr)
def test_a_damaged_end_of_the_journal_is_seen_again(tmp_path: Path, scraped: Path, damage: bytes) -> None:
    out = tmp_path / "out"
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    before = content(out)
    with (out / ".seen.jsonl").open("ab") as journal:
        journal.write(damage)
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    assert content(out) == before


def test_another_confidence_wants_another_folder(tmp_path: Path, scraped: Path) -> None:
    out = tmp_path / "out"
    detect(tmp_path, model(tmp_path), order(scraped, out=out))
    with pytest.raises(InputError, match=r"made with conf 0\.3, 0\.5\. Name another folder with --out, or add --again"):
        detect(tmp_path, model(tmp_path), order(scraped, out=out, thresholds=(0.2,)))
    detect(tmp_path, model(tmp_path), order(scraped, out=out, thresholds=(0.2,), again=True))
    assert (tmp_path / "out.1" / "detections.csv").is_file()
    assert sorted(path.name for path in (out / "pictures").iterdir()) == ["0.2"]


def test_another_source_wants_another_folder(tmp_path: Path, labelled_folder: Callable[..., Path]) -> None:
    """Two folders of one name: what was found in the first is not lost."""
    one, other = labelled_folder(tmp_path / "a" / "images", 2), labelled_folder(tmp_path / "b" / "images", 2, start=2)
    detect(tmp_path, model(tmp_path), order(one))
    out = tmp_path / "detections" / "attempt-5" / "images"
    before = content(out)
    with pytest.raises(InputError, match=rf"made with sources {re.escape(str(one))}\. Name another folder"):
        detect(tmp_path, model(tmp_path), order(other))
    assert content(out) == before


def test_pictures_of_the_attempt_are_no_backgrounds_to_mine(
    project: Path, labelled_folder: Callable[..., Path]
) -> None:
    train(project, 1, track=FakeTrack(find_squares))
    used = replace(model_of_attempt(project, 1), track=FakeTrack(find_squares))
    labelled_folder(project / "datasets" / "raw" / "pictures", 2, start=70)  # beside the 20 of the attempt
    detected = detect(
        project, used, order(project / "datasets/raw/pictures", out=project / "found", mine=project / "mined")
    )
    assert detected.mined is not None
    assert (detected.mined.added, len(detected.mined.left_out)) == (2, 20)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, scraped: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("1")
    with pytest.raises(InputError, match="thesis: holds something else than detections"):
        detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "thesis"))
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path, scraped: Path) -> None:
    (scraped / "empty.jpg").touch()
    (scraped / "text.png").write_text("no picture")
    whole = (scraped / "photo_000.png").read_bytes()
    (scraped / "half.png").write_bytes(whole[: len(whole) // 2])
    detected = detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "out"))
    assert detected.counts.images == 4
    header, *skipped = rows(tmp_path / "out" / "skipped.csv")
    assert header == ["file", "reason"]
    assert [row[0] for row in skipped] == ["empty.jpg", "half.png", "text.png"]
    assert skipped[0][1] == "the file is empty"


def test_pictures_that_detect_made_are_no_source(tmp_path: Path, scraped: Path) -> None:
    detect(tmp_path, model(tmp_path), order(scraped, out=scraped / "found"))
    detected = detect(tmp_path, model(tmp_path), order(scraped, out=scraped / "found"))
    assert detected.counts.images == 4
    assert any("an earlier detect made" in note for note in detected.notes)


def test_nothing_readable_at_all(tmp_path: Path) -> None:
    (tmp_path / "scraped").mkdir()
    (tmp_path / "scraped" / "a.jpg").touch()
    with pytest.raises(InputError, match="none of 1 pictures can be had"):
        detect(tmp_path, model(tmp_path), order(tmp_path / "scraped", out=tmp_path / "out"))


def test_an_unknown_class(tmp_path: Path, scraped: Path) -> None:
    with pytest.raises(InputError, match=r"attempt 5: knows no class beef\. Its classes: chicken, onion"):
        detect(tmp_path, model(tmp_path), order(scraped, out=tmp_path / "out", classes=("beef",)))


def test_unlabelled_pictures_become_the_next_attempts_training_data(
    project: Path, labelled_folder: Callable[..., Path]
) -> None:
    """Detected, written as XML, and built as a source of attempt 2 beside the first one."""
    train(project, 1, track=FakeTrack(find_squares))
    more = labelled_folder(project / "more", 6, start=40)
    for file in more.glob("*.xml"):
        file.unlink()
    used = replace(model_of_attempt(project, 1), track=FakeTrack(find_squares))
    out = project / "found"
    detect(project, used, order(more, out=out, labels=("xml",)))
    sources = [
        {"path": "datasets/raw/pictures", "format": "labelimg"},
        {"path": "found/to-correct/xml", "format": "labelimg"},
    ]
    write_yaml(project / "attempts" / "2.yaml", {"base": 1, "data": {"sources": sources}})
    from yolo_pipeline.attempt import load

    data = build(load(project, 2))
    assert len(data.built.dataset.images) == 26
    assert data.built.dataset.boxes == 26


def test_two_exported_folders_of_one_name_are_two_models(tmp_path: Path) -> None:
    folders = [tmp_path / name / "best_openvino_model" for name in "ab"]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / "best.xml").touch()
        (folder / "best.bin").write_bytes(bytes([number]))
    first, second = map(model_of_weights, folders)
    assert first.title == second.title
    assert first.sha256 != second.sha256


def test_command_with_real_weights(tmp_path: Path, scraped: Path, cli: Callable[..., Ended]) -> None:
    """Random weights, made to see something; their boxes mean nothing. Everything else is real."""
    from ultralytics import YOLO

    weights = tmp_path / "random.pt"
    random = YOLO("yolov8n.yaml")
    for branch in random.model.model[-1].cv3:
        branch[-1].bias.data[:] = -1.0
    random.save(weights)
    out = tmp_path / "out"
    said = (
        "detect",
        "--weights",
        weights,
        scraped,
        "--conf",
        "0.2,0.5",
        "--imgsz",
        64,
        "--out",
        out,
        "--runtime",
        "torch",
    )
    ended = cli(*said, "--json")
    assert ended.code == 0, ended.err
    result = json.loads(ended.out)
    assert (result["images"], result["skipped"], list(result["thresholds"])) == (4, 0, ["0.2", "0.5"])
    assert f"Page: {out / 'detections.html'}" in ended.err
    assert result["thresholds"]["0.2"]["boxes"] == len(rows(out / "detections.csv")) - 1 > 0
    before = content(out)
    ended = cli(*said, "--classes", '0,"x, y"')
    assert (ended.code, "knows no class x, y. Its classes: 0, 1, 2" in ended.err) == (3, True), ended.err
    assert cli(*said).code == 0
    assert content(out) == before


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        pytest.param(["--conf", "0.3"], 2, "name either --attempt N or --weights FILE", id="no model"),
        pytest.param(["--weights", "none.pt"], 3, "none.pt: there is no such file. Check --weights", id="no weights"),
        pytest.param(
            ["--weights", "best.pt", "--conf", "0,3"], 2, "confidences lie between 0 and 1", id="comma for point"
        ),
        pytest.param(["--weights", "best.pt", "--conf", "x"], 2, "--conf x: write numbers with commas", id="no number"),
        pytest.param(["--weights", "best.pt", "--conf", "0.3,0.30000001"], 2, "four decimals", id="two of one name"),
        pytest.param(["--weights", "best.pt", "--conf", "nan"], 2, "confidences lie between 0 and 1", id="nan"),
        pytest.param(["--weights", "best.pt", "--iou", "nan"], 2, "--iou nan: write a number", id="no overlap"),
        pytest.param(["--weights", "best.pt", "--classes", " , "], 2, "name at least one", id="no class at all"),
        pytest.param(["--weights", "best.pt", "--save", "csv"], 2, "--save csv: say xml, yolo", id="unknown labels"),
        pytest.param(
            ["0.4", "--weights", "best.pt"], 2, "0.4 is no picture: several confidences", id="blanks for commas"
        ),
        pytest.param(
            ["--weights", "best.pt", "--calibrate", "."], 2, "--calibrate is for --int8", id="calibrate alone"
        ),
        pytest.param(["--attempt", "9"], 3, "error: ", id="no attempt"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, scraped: Path, cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, text: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "best.pt").write_bytes(b"")
    ended = cli("detect", scraped, *arguments)
    assert ended.code == code
    assert text in ended.err
    assert not (tmp_path / "detections").exists()
