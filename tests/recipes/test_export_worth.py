"""What an export is held to where the weights run in TensorFlow: pixels for floats, mAP50 for whole numbers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended, FakeTrack, find_squares, write_yaml

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.errors import InputError, UsageError
from yolo_pipeline.files import read_json
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.progress import Progress
from yolo_pipeline.recipes import export as recipe
from yolo_pipeline.recipes.export import export, said_of
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of

Find = Callable[[np.ndarray], list[Detection]]


@dataclass
class TensorFlowLike(FakeTrack):
    """A track whose exports find what `exported` says. Their files hold a word."""

    runtime: str = "tensorflow"
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"tflite": (), "tflite-int8": ()})
    exported: Find = find_squares

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        find = self.exported if weights.suffix == ".tflite" else self.detect
        return Predictor(lambda batch: [find(picture) for picture in batch], ("chicken", "onion"), 64)

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        (folder / f"{weights.stem}.tflite").write_text("network")
        return folder / f"{weights.stem}.tflite"


def track(exported: Find = find_squares, **more: str) -> TensorFlowLike:
    return TensorFlowLike(find_squares, exported=exported, **more)  # type: ignore[arg-type]


@pytest.fixture
def trained(project: Path, labelled_folder: Callable[..., Path]) -> Path:
    """A finished attempt with pictures of 256 x 256, whose squares are 128 pixels wide: 4 of val, 4 of test."""
    shutil.rmtree(project / "datasets" / "raw" / "pictures")
    labelled_folder(project / "datasets" / "raw" / "pictures", side=256)
    train(project, 1, track=track())
    return project


def shifted(pixels: float) -> Find:
    def find(picture: np.ndarray) -> list[Detection]:
        boxes = [(one, one.box) for one in find_squares(picture)]
        return [replace(one, box=Box(box.x0 + pixels, box.y0, box.x1 + pixels, box.y1)) for one, box in boxes]

    return find


def no_onions(picture: np.ndarray) -> list[Detection]:
    return [one for one in find_squares(picture) if one.label != "onion"]


def nothing(picture: np.ndarray) -> list[Detection]:
    return []


def test_corners_of_floats_may_be_two_pixels_off(trained: Path) -> None:
    (done,) = export(trained, 1, ["tflite"], track=track(shifted(1.75)))
    assert done.card["agreement"]["corner_difference"] == 1.75
    assert done.card["agreement"]["corner_tolerance"] == 2
    assert said_of(done.card) == (
        "8 boxes on 8 pictures are those of the weights (IoU 0.972 or more, corners within 1.8 pixels, scores within 0)"
    )
    with pytest.raises(InputError, match=r"^attempt-1\.tflite: does not find what best\.pt finds: .*2\.5 pixels"):
        export(trained, 1, ["tflite"], again=True, track=track(shifted(2.5)))
    assert [path.name for path in run_of(trained, 1).exports.iterdir()] == ["tflite"]
    assert read_json(done.path.with_name("export.json")) == done.card


def test_elsewhere_the_overlap_alone_counts(trained: Path) -> None:
    (done,) = export(trained, 1, ["tflite"], track=track(shifted(2.5), runtime="other"))
    assert "corner_tolerance" not in done.card["agreement"]


def test_versions_of_packages_whose_wheels_have_other_names(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "another_runtime.py").write_text('__version__ = "1.2.3"')
    monkeypatch.syspath_prepend(tmp_path)
    (done,) = export(
        trained, 1, ["tflite"], track=TensorFlowLike(find_squares, targets={"tflite": ("another_runtime",)})
    )
    assert done.card["versions"] == {"fake": "1.0", "another_runtime": "1.2.3"}


@pytest.mark.parametrize(
    ("exported", "kept"),
    [
        pytest.param(find_squares, 1.0, id="as good"),
        pytest.param(shifted(20), 1.0, id="other boxes, as good at IoU 0.5"),
        pytest.param(no_onions, 0.5, id="a class is lost: half of it"),
    ],
)
def test_whole_numbers_are_judged_on_val(trained: Path, exported: Find, kept: float) -> None:
    (done,) = export(trained, 1, ["tflite-int8"], track=track(exported))
    judged = done.card["worth"]
    assert judged == {
        "pictures": 4, "held_to": "labels", "mAP50": kept, "weights_mAP50": 1.0, "share_wanted": 0.5,
    }  # fmt: skip
    assert said_of(done.card) == (
        f"in whole numbers: mAP50 {kept:.3f}, the weights' 1.000, against the labels of val on 4 pictures"
    )


def test_without_labels_what_the_weights_find_is_the_truth(trained: Path) -> None:
    run_of(trained, 1).truth_file("val").unlink()
    (done,) = export(trained, 1, ["tflite-int8"], track=track(no_onions))
    assert (done.card["worth"]["held_to"], done.card["worth"]["mAP50"]) == ("weights", 0.5)
    assert done.card["worth"]["pictures"] == 8


def test_what_is_useless_is_refused_and_nothing_is_left(trained: Path) -> None:
    with pytest.raises(InputError) as refused:
        export(trained, 1, ["tflite-int8"], track=track(nothing))
    assert str(refused.value) == (
        "attempt-1.tflite: lost more than half of what the weights find: mAP50 0.000, the weights' 1.000, against the "
        "labels of val on 4 pictures. Nothing of it was kept. Use the target without -int8, or train on more pictures "
        "first"
    )
    assert not run_of(trained, 1).exports.exists()


def test_what_is_there_is_kept(trained: Path) -> None:
    export(trained, 1, ["tflite-int8"], track=track())
    (again,) = export(trained, 1, ["tflite-int8"], track=track(nothing))
    assert again.kept
    (other,) = export(trained, 1, ["tflite-int8"], track=track(no_onions), again=True)
    assert not other.kept
    assert sorted(path.name for path in run_of(trained, 1).exports.iterdir()) == ["tflite-int8", "tflite-int8.1"]


def test_the_size_that_is_in_the_graph_is_the_only_one(trained: Path) -> None:
    (done,) = export(trained, 1, ["tflite"], imgsz=64, track=track())  # its own
    assert done.card["imgsz"] == 64
    with pytest.raises(UsageError) as refused:
        export(trained, 1, ["tflite"], imgsz=96, track=track())
    assert str(refused.value) == "--imgsz 96: attempt 1 is shown pictures at 64 alone; leave --imgsz out"


def test_a_missing_package_is_named_with_its_own_extra(
    trained: Path, cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run_of(trained, 1).record
    run_of(trained, 1).write_record({**record, "settings": {**record["settings"], "track": "tfapi"}})
    write_yaml(trained / "attempts" / "1.yaml", {})
    monkeypatch.setattr(recipe, "installed", lambda package: False)
    ended = cli("export", "--attempt", 1, "--to", "tflite-int8", "--project", trained)
    assert ended.code == 3
    assert ended.err.strip() == (
        "error: --to tflite-int8: needs ai_edge_litert: not installed. "
        'Type: python -m pip install "yolo_pipeline[litert]"'
    )
    assert cli("export", "--attempt", 1, "--to", "onnx", "--project", trained).err.strip() == (
        "error: --to onnx: there are saved_model, tflite, tflite-int8, bundle"
    )
