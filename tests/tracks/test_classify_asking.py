"""A classifier that is asked: every class of every picture, the likeliest first, whatever the neighbours are."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from yolo_pipeline.asking import Asking
from yolo_pipeline.classification import is_whole
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Box, Detection, ImageRecord, Truth
from yolo_pipeline.tracks.classify.asking import open_classifier
from yolo_pipeline.tracks.classify.models import build, normalisation
from yolo_pipeline.tracks.classify.pixels import to_tensor
from yolo_pipeline.tracks.classify.weights import About, load, save

NAMES = ("onion", "닭", "chicken", "0")
ALL = Asking(conf=0.0, device="cpu")


def written(
    folder: Path, model: str = "mobilenet_v3_small", classes: tuple[str, ...] = NAMES, bias: Any = None
) -> Path:
    """A weights file; with a bias, that of the classes alone decides."""
    classifier = build(model, (), len(classes), seed=0)
    if bias is not None:
        classifier.head[0].weight.data.zero_()
        classifier.head[0].bias.data = torch.tensor(bias, dtype=torch.float32)
    of, file = normalisation(model), folder / "best.safetensors"
    save(file, classifier, About(model, classes, 32, (), of.mean, of.std, 1))
    return file


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size=(*size, 3), dtype=np.uint8) for size in sizes]


def test_every_class_of_every_picture_the_likeliest_first(tmp_path: Path) -> None:
    file = written(tmp_path, "resnet18")
    predict = open_classifier(file, ALL)
    assert (predict.names, predict.imgsz, predict.callers) == (NAMES, 32, 1)
    shown = pictures((20, 50), (32, 32))
    found = predict(shown)
    classifier, _ = load(file)
    with torch.inference_mode():
        wanted = classifier(to_tensor(shown, 32, normalisation("resnet18"))).softmax(1).tolist()
    for picture, of_picture, scores in zip(shown, found, wanted, strict=True):
        height, width = picture.shape[:2]
        assert {one.box for one in of_picture} == {Box(0.0, 0.0, width, height)}
        assert said(of_picture) == pytest.approx(dict(zip(NAMES, scores, strict=True)), abs=1e-6)
        assert [one.score for one in of_picture] == sorted((one.score for one in of_picture), reverse=True)
        assert math.isclose(sum(one.score for one in of_picture), 1.0, abs_tol=1e-6)
        truth = Truth(of_picture[0].box, of_picture[0].label)
        assert is_whole(ImageRecord(Path("a.png"), "a.png", width, height, ".png", (truth,)))


@pytest.mark.parametrize(
    ("asking", "labels"),
    [
        pytest.param(Asking(conf=0.0), ["chicken", "onion", "닭", "0"], id="all; of equal ones the first class"),
        pytest.param(Asking(conf=0.2), ["chicken", "onion", "닭"], id="surer ones"),
        pytest.param(Asking(conf=0.9), [], id="none is so sure"),
        pytest.param(Asking(conf=0.0, most=2), ["chicken", "onion"], id="the best two"),
        pytest.param(Asking(conf=0.3, most=1), ["chicken"], id="the best one"),
    ],
)
def test_conf_and_most(tmp_path: Path, asking: Asking, labels: list[str]) -> None:
    shares = [0.25, 0.25, 0.4, 0.1]
    predict = open_classifier(written(tmp_path, bias=[math.log(share) for share in shares]), asking)
    (found,) = predict(pictures((8, 8)))
    assert [one.label for one in found] == labels
    assert [one.score for one in found] == pytest.approx([shares[NAMES.index(label)] for label in labels], abs=1e-6)


@pytest.mark.parametrize("model", ["resnet18", "vgg11"])
def test_a_batch_is_judged_as_its_pictures_are_alone(tmp_path: Path, model: str) -> None:
    predict = open_classifier(written(tmp_path, model), ALL)
    shown = pictures((28, 28), (64, 20), (7, 90), (33, 33), (8, 8))
    alone = [said(predict([picture])[0]) for picture in shown]
    together = [said(found) for found in predict(shown * 4)]
    assert len(together) == 20 > predict.batch
    assert len({round(scores["onion"], 4) for scores in alone}) == 5
    for scores, of_it in zip(together, alone * 4, strict=True):
        assert scores == pytest.approx(of_it, abs=1e-5)


def said(found: list[Detection]) -> dict[str, float]:
    return {one.label: one.score for one in found}


def test_no_pictures(tmp_path: Path) -> None:
    assert open_classifier(written(tmp_path), ALL)([]) == []


def test_one_class_is_certain(tmp_path: Path) -> None:
    (found,) = open_classifier(written(tmp_path, classes=("a",)), ALL)(pictures((8, 8)))
    assert [(one.label, one.score) for one in found] == [("a", 1.0)]


def test_imgsz_is_what_the_network_is_shown(tmp_path: Path) -> None:
    file = written(tmp_path, "resnet18")
    shown = pictures((64, 64))
    as_trained, larger = open_classifier(file, ALL), open_classifier(file, Asking(imgsz=64, conf=0.0, device="cpu"))
    assert (as_trained.imgsz, larger.imgsz) == (32, 64)
    assert as_trained(shown)[0][0].score != pytest.approx(larger(shown)[0][0].score, abs=1e-7)
    with pytest.raises(InputError, match=r"imgsz: is 31, too small for resnet18\. Say 32 or more, or leave it out"):
        open_classifier(file, Asking(imgsz=31))


@pytest.mark.parametrize("device", ["cuda", "gpu", "-1", "0,1", "cpu:0"])
def test_a_device_that_is_none(tmp_path: Path, device: str) -> None:
    with pytest.raises(InputError, match=r"^device: is "):
        open_classifier(written(tmp_path), Asking(device=device))


def test_values_that_no_probability_comes_of(tmp_path: Path) -> None:
    predict = open_classifier(written(tmp_path, bias=[3e38, 3e38, 1.0, 2.0]), ALL)
    assert predict(pictures((8, 8)))[0][0].score == pytest.approx(0.5)
    classifier, about = load(tmp_path / "best.safetensors")
    for parameter in classifier.blocks.parameters():
        parameter.data.fill_(1e30)
    classifier.head[0].weight.data.fill_(1.0)
    save(tmp_path / "best.safetensors", classifier, about)
    predict = open_classifier(tmp_path / "best.safetensors", ALL)
    with pytest.raises(WeightsError, match=r"best\.safetensors: its values are so large that no probability comes of"):
        predict(pictures((8, 8)))


def test_threads_that_ask_at_the_same_time_are_told_the_same(tmp_path: Path) -> None:
    predict = open_classifier(written(tmp_path, "resnet18"), ALL)
    shown = pictures((32, 32), (40, 40))
    wanted = predict(shown)
    told: list[object] = []
    threads = [threading.Thread(target=lambda: told.append(predict(shown))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [wanted] * 3
