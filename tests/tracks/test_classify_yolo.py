"""Classifiers of Ultralytics with the real one: tiny trainings, the order of classes, weights of another task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import write_yaml
from PIL import Image

from yolo_pipeline.asking import Asking
from yolo_pipeline.attempt import Attempt, load
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.classification import whole
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Box, Curves, Dataset, ImageRecord, Split
from yolo_pipeline.progress import Silent, silent
from yolo_pipeline.run import Run, run_of
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.classify.yolo import UltralyticsClassifier
from yolo_pipeline.tracks.yolo.track import track as detector
from yolo_pipeline.tracks.yolo.weights import is_classifier

FOLDERS = {"닭": "3 chicken", "beef": "2", "a/b": "1"}
"""Class -> its folder, whose alphabet is that of the classes the other way round."""

COLOURS = {"닭": (200, 30, 30), "beef": (30, 200, 30), "a/b": (30, 30, 200)}
classifier = UltralyticsClassifier()


def written(root: Path, counts: dict[Split, tuple[int, int, int]], side: int = 32) -> BuiltDataset:
    """A built data set of plain pictures with a little noise, red, green and blue."""
    images, files = [], {}
    for split, of_class in counts.items():
        for (label, folder), count in zip(FOLDERS.items(), of_class, strict=True):
            (root / split / folder).mkdir(parents=True)
            for number in range(count):
                noise = np.random.default_rng([number, len(split)]).integers(-30, 30, (side, side, 3))
                name = f"{label}-{split}-{number}".replace("/", "-") + ".png"
                file = root / split / folder / name
                Image.fromarray((np.array(COLOURS[label]) + noise).clip(0, 255).astype(np.uint8)).save(file)
                images.append(ImageRecord(file, name, side, side, ".png", (whole(label, side, side),), split=split))
                files[name] = f"{split}/{folder}/{name}"
    return BuiltDataset(root, Dataset(tuple(FOLDERS), tuple(images)), "0" * 64, files, reused=False)


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[..., Attempt]:
    """A function that gives attempt 1 of a project, with training settings of one's own."""

    def make(model: str = "yolov8n-cls", pretrained: bool | str = False, **train: object) -> Attempt:
        said = {
            "track": "classify",
            "model": model,
            "pretrained": pretrained,
            "train": {"imgsz": 32, "batch": 6, **train},
        }
        write_yaml(tmp_path / "attempts/1.yaml", {**said, "data": {"sources": [{"path": "raw", "format": "folders"}]}})
        return load(tmp_path, 1)

    return make


def trained(attempt: Attempt, built: BuiltDataset, *, resume: bool = False) -> tuple[Run, Trained, Curves]:
    run = run_of(attempt.root, 1)
    counts = {split: {} for split in ("train", "val", "test") if built.dataset.of(split)}  # type: ignore[arg-type]
    run.write_record({"settings": attempt.settings(), "data": {"counts": counts}})
    done = classifier.train(attempt, built, run, silent, resume=resume)
    return run, done, classifier.curves(run)


@pytest.mark.slow
def test_a_real_training_learns_our_classes_and_not_the_alphabet_of_the_folders(
    attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    """What Ultralytics says of val must be what we find there."""
    built = written(tmp_path / "built", {"train": (8, 8, 8), "val": (5, 3, 1)})
    asked = attempt(epochs=4, optimizer="AdamW", lr0=0.002, nbs=6, warmup_epochs=0, erasing=0.0, auto_augment="")
    classifier.check(asked, silent)
    run, done, curves = trained(asked, built)
    assert done.weights == run.training / "weights" / "best.pt"
    assert done.start == {"file": None}
    assert (done.used["imgsz"], done.used["batch"], done.used["epochs"], done.used["optimizer"]) == (32, 6, 4, "AdamW")
    assert done.parameters > 1_000_000
    assert {"step", "epoch", "seconds", "train/loss", "val/loss", "val/accuracy"} <= set(curves.columns)
    assert curves.columns["epoch"] == (1.0, 2.0, 3.0, 4.0)
    assert curves.columns["step"] == (4.0, 8.0, 12.0, 16.0)  # 24 pictures in batches of 6
    assert set(done.own_metrics) == {"ultralytics/top1", "ultralytics/top5"}
    predict = classifier.open(done.weights, Asking(conf=0.0))
    assert (predict.names, predict.imgsz) == (("닭", "beef", "a/b"), 32)
    val = built.dataset.of("val")
    said = predict([decode(built.picture(image.name)) for image in val])
    right = sum(found[0].label == image.truths[0].label for found, image in zip(said, val, strict=True))
    assert right / len(val) == pytest.approx(done.own_metrics["ultralytics/top1"], abs=1e-4)


@pytest.mark.slow
def test_without_val_no_weights_are_chosen_on_test(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    built = written(tmp_path / "built", {"train": (3, 3, 3), "test": (1, 1, 1)})
    for file in (tmp_path / "built/test").rglob("*.png"):
        file.write_bytes(b"whoever looks at test is found out")
    _, done, curves = trained(attempt(epochs=1), built)
    assert sorted(curves.columns)[-3:] == ["seconds", "step", "train/loss"]
    assert done.own_metrics == {}


@pytest.mark.slow
def test_an_interrupted_training_goes_on(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    built = written(tmp_path / "built", {"train": (4, 4, 4), "val": (2, 2, 2)})
    asked = attempt(epochs=3)

    class Tired(Silent):
        def at(self, what: str, done: float, total: float, detail: str = "") -> None:
            if done > 1.5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classifier.train(asked, built, run_of(tmp_path, 1), Tired(), resume=False)
    _, done, curves = trained(asked, built, resume=True)
    assert curves.columns["epoch"] == (1.0, 2.0, 3.0)
    again = trained(asked, built, resume=True)[1]
    assert again == done  # it had ended: nothing is trained again


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of 1,000 classes that has learnt nothing."""
    from ultralytics import YOLO

    file = tmp_path_factory.mktemp("weights") / "random-cls.pt"
    YOLO("yolov8n-cls.yaml").save(file)
    return file


def test_every_class_is_said_of_the_whole_picture_the_likeliest_first(random_weights: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = [(40, 60, 3), (60, 40, 3), (33, 33, 3)]
    pictures = [rng.integers(0, 255, shape, dtype=np.uint8) for shape in shapes]
    predict = classifier.open(random_weights, Asking(imgsz=64, conf=0.0, most=1000, device="cpu"))
    together = predict(pictures)
    for picture, said in zip(pictures, together, strict=True):
        scores = [one.score for one in said]
        assert len({one.label for one in said}) == 1000
        assert sum(scores) == pytest.approx(1, abs=1e-4)
        assert scores == sorted(scores, reverse=True)
        assert {one.box for one in said} == {Box(0, 0, picture.shape[1], picture.shape[0])}
        alone = {one.label: one.score for one in predict([picture])[0]}
        assert {one.label: one.score for one in said} == pytest.approx(alone, abs=1e-5)
    few = classifier.open(random_weights, Asking(imgsz=64, conf=0.0, most=3, device="cpu"))(pictures)
    assert few == [said[:3] for said in together]
    sure = classifier.open(random_weights, Asking(imgsz=64, conf=0.5, device="cpu"))(pictures)
    assert sure == [[], [], []]


def test_imgsz_is_rounded_as_in_training(random_weights: Path) -> None:
    assert classifier.open(random_weights, Asking(imgsz=28)).imgsz == 32


def test_weights_of_another_task_are_refused_with_their_track(
    attempt: Callable[..., Attempt], random_weights: Path, tmp_path: Path
) -> None:
    from ultralytics import YOLO

    YOLO("yolov8n.yaml").save(tmp_path / "boxes.pt")
    assert is_classifier(random_weights)
    assert not is_classifier(tmp_path / "boxes.pt")
    with pytest.raises(WeightsError) as refused:
        classifier.check(attempt("boxes.pt", True), silent)
    assert str(refused.value) == (
        f"{tmp_path}/boxes.pt: is a model for detection, not for classification. "
        "Name a classification model, or say `track: yolo`"
    )
    with pytest.raises(WeightsError) as refused:
        detector.open(random_weights, Asking())
    assert str(refused.value) == (
        f"{random_weights}: is a model for classification, not for detection. "
        "Name a detection model, or say `track: classify`"
    )


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"", "empty.pt", id="empty"),
        pytest.param(b"PK\x03\x04 no zip", "torn.pt", id="damaged"),
        pytest.param(b"ClassificationModel", "text.pt", id="a text"),
        pytest.param(None, "none.pt", id="missing"),
    ],
)
def test_what_is_no_checkpoint_is_no_classifier(tmp_path: Path, content: bytes | None, name: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert not is_classifier(tmp_path / name)


def test_published_weights_that_cannot_be_had_are_said_before_any_work(
    attempt: Callable[..., Attempt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", no_network)
    with pytest.raises(WeightsError) as refused:
        classifier.check(attempt(pretrained=True), silent)
    assert str(refused.value) == (
        f"{tmp_path}/weights/yolov8n-cls.pt: the pretrained weights are not there and cannot be fetched (no network?). "
        "Put yolov8n-cls.pt there, or start from scratch with `pretrained: false` in the attempt"
    )


def test_a_file_to_start_from_must_hold_weights(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"mine\.pt: cannot be read as weights"):
        classifier.check(attempt(pretrained="mine.pt"), silent)


def test_settings_that_ultralytics_refuses_are_one_line(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    """One picture is left for the last batch, of which no mean can be normalised at 32 pixels."""
    built = written(tmp_path / "built", {"train": (3, 2, 2), "val": (1, 1, 1)})
    with pytest.raises(InputError, match=r"train: Ultralytics refuses a setting: final batch=1 training"):
        trained(attempt(epochs=1), built)
