"""The YOLO track with the real Ultralytics: tiny trainings, weights that cannot be had, what it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED, write_yaml
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.asking import Asking
from yolo_pipeline.attempt import load
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.fonts import font_file
from yolo_pipeline.progress import silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run
from yolo_pipeline.tracks.yolo.track import track

TRAIN = [sys.executable, "-m", "yolo_pipeline", "train"]


@pytest.mark.slow
def test_a_real_training_from_files_to_report(project: Path) -> None:
    """yolov8n from scratch, one epoch of 12 pictures: what it learns does not matter, what it leaves does."""
    (project / "weights").mkdir()
    train(project, 1)
    run = train(project, 2)
    record, curves = run.record, run.read_curves()
    assert record["training"]["parameters"] == 3_011_238
    assert record["training"]["used"]["imgsz"] == 64
    assert record["training"]["used"]["batch"] == 4
    assert record["training"]["used"]["epochs"] == 2
    assert record["training"]["start"] == {"file": None}
    assert record["training"]["sha256"] == images.sha256(run.training / "weights" / "best.pt")
    assert set(record["training"]["own_metrics"]) >= {"ultralytics/mAP50", "ultralytics/mAP50_95"}
    assert curves.columns["epoch"] == (1.0, 2.0)
    assert {"seconds", "train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss", "val/mAP50"} <= set(
        curves.columns
    )
    assert all(value > 0 for value in curves.columns["train/box_loss"])
    assert set(run.read_scores()) == {"val", "test"}
    assert not list((project / "weights").iterdir())
    assert curves.columns["step"] == (3.0, 6.0)  # 12 pictures in batches of 4
    _resuming_a_run_that_had_ended_does_not_train_again(project, run)
    for name in ("curves", "confusion", "samples"):
        with Image.open(run.figures / f"{name}.png") as figure:
            assert min(figure.size) > 200


def _resuming_a_run_that_had_ended_does_not_train_again(project: Path, run: Run) -> None:
    """As after Ctrl-C in Ultralytics' last validation: the optimizer is gone from last.pt already."""
    record, weights = run.record, run.training / "weights" / "best.pt"
    before = images.sha256(weights)
    run.write_record({**record, "state": "training"})
    again = train(project, 2, resume=True)
    assert again.finished
    assert images.sha256(weights) == before
    assert again.record["training"] == record["training"]


def test_detections_do_not_depend_on_the_neighbours_in_a_batch(project: Path, tmp_path: Path) -> None:
    """Pictures of three shapes, alone and together. The weights are random, which serves as well."""
    from ultralytics import YOLO

    weights = tmp_path / "random.pt"
    YOLO("yolov8n.yaml").save(weights)
    predict = track.open(weights, Asking(imgsz=64))
    rng = np.random.default_rng(0)
    sizes = [(64, 96, 3), (96, 64, 3), (64, 64, 3), (64, 96, 3)]
    pictures = [rng.integers(0, 255, size=size, dtype=np.uint8) for size in sizes]
    together, alone = predict(pictures), [predict([picture])[0] for picture in pictures]
    assert [len(found) for found in together] == [len(found) for found in alone]
    for one, other in zip(together, alone, strict=True):
        assert [d.score for d in one] == pytest.approx([d.score for d in other], abs=1e-5)


def test_imgsz_is_what_the_network_is_shown(tmp_path: Path) -> None:
    import torch
    from ultralytics import YOLO

    YOLO("yolov8n.yaml").save(tmp_path / "random.pt")
    shown: list[int] = []
    convolve = torch.nn.functional.conv2d

    def watch(picture: torch.Tensor, *others: object, **more: object) -> torch.Tensor:
        if picture.shape[1] == 3:
            shown.append(max(picture.shape[2:]))
        return convolve(picture, *others, **more)  # type: ignore[arg-type]

    for asked, rounded in ((100, 128), (64, 64), (1, 32)):
        predict = track.open(tmp_path / "random.pt", Asking(imgsz=asked, device="cpu"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.nn.functional, "conv2d", watch)
            predict([np.zeros((50, 100, 3), dtype=np.uint8)])
        assert (predict.imgsz, set(shown)) == (rounded, {rounded})
        shown.clear()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param(
            "README.md",
            b"# Detector",
            "is no weights file. "
            "Name a file that ends in .pt, or an exported network (.onnx, .xml, .torchscript, .tflite)",
            id="a text",
        ),
        pytest.param(
            "yolov8n.yaml",
            b"nc: 2",
            "is no weights file. "
            "Name a file that ends in .pt, or an exported network (.onnx, .xml, .torchscript, .tflite)",
            id="an architecture",
        ),
        pytest.param("yolov8n.pt", None, "there is no such file. Check the path", id="nothing is fetched"),
        pytest.param(
            "empty.pt",
            b"",
            "cannot be read as weights (damaged, or an interrupted download?): is not a loadable checkpoint — "
            "the file is empty, truncated or corrupted (EOFError: ). Fetch it again",
            id="empty",
        ),
        pytest.param(
            "text.pt",
            b"not weights",
            "cannot be read as weights (damaged, or an interrupted download?): "
            "references types outside the supported Ultralytics checkpoint format. Fetch it again",
            id="not weights",
        ),
    ],
)
def test_what_is_asked_must_be_weights(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError) as refused:
        track.open(tmp_path / name, Asking())
    assert str(refused.value) == f"{tmp_path / name}: {said}"


def test_several_devices_are_refused(project: Path) -> None:
    with pytest.raises(InputError, match=r"^command line: train\.device: is 0,1, several devices"):
        train(project, 1, overrides={"device": "0,1"})


def test_weights_and_from_scratch_contradict_each_other(project: Path, tmp_path: Path) -> None:
    from ultralytics import YOLO

    YOLO("yolov8n.yaml").save(project / "mine.pt")
    write_yaml(project / "attempts/4.yaml", {"base": 1, "model": "mine.pt"})
    with pytest.raises(
        WeightsError, match=r"attempts/1\.yaml: pretrained: is false, but model is the weights file mine"
    ):
        train(project, 4)


@pytest.mark.slow
def test_a_weights_file_is_a_model_to_start_from_and_imgsz_is_rounded_as_ultralytics_does(project: Path) -> None:
    first = train(project, 1)
    weights = first.training / "weights" / "best.pt"
    write_yaml(
        project / "attempts/4.yaml",
        {
            "base": 1,
            "model": weights.relative_to(project).as_posix(),
            "pretrained": True,
            "train": {"imgsz": 50, "freeze": 10},
        },
    )
    record = train(project, 4).record
    assert record["training"]["start"] == {"file": "best.pt", "sha256": images.sha256(weights)}
    assert record["settings"]["train"]["imgsz"] == 50
    assert record["training"]["used"]["imgsz"] == 64


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_while_training_keeps_what_is_done_and_resume_goes_on(project: Path) -> None:
    write_yaml(project / "attempts/4.yaml", {"base": 1, "train": {"epochs": 8}})
    last = project / "runs/attempt-4/training/weights/last.pt"
    command = [*TRAIN, "--attempt", "4", "--project", str(project)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Go on with:" in said
    assert "Traceback" not in said
    assert subprocess.run(command, capture_output=True, text=True).returncode == 3
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    epochs = [int(line.split(",")[0]) for line in (last.parents[1] / "results.csv").read_text().splitlines()[1:]]
    assert epochs == list(range(1, 9))


def test_pretrained_weights_that_cannot_be_had_are_said_in_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", _no_network)
    write_yaml(project / "attempts/4.yaml", {"base": 1, "model": "yolov5x", "pretrained": True})
    with pytest.raises(WeightsError) as caught:
        train(project, 4)
    assert str(caught.value) == (
        f"{project}/weights/yolov5xu.pt: the pretrained weights are not there and cannot be fetched (no network?). "
        "Put yolov5xu.pt there, or start from scratch with `pretrained: false` in the attempt"
    )
    assert not (project / "runs").exists()
    assert not (project / "datasets/attempt-4").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("weights/none.pt", None, "there is no such file", id="missing"),
        pytest.param("weights/text.pt", b"not weights", "cannot be read as weights", id="not weights"),
        pytest.param("weights/bad.yaml", b"nc: [", "cannot be read as an architecture", id="broken architecture"),
    ],
)
def test_weights_that_cannot_be_read(project: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (project / "weights").mkdir()
        (project / name).write_bytes(content)
    write_yaml(project / "attempts/4.yaml", {"base": 1, "model": name})
    with pytest.raises(WeightsError, match=said):
        train(project, 4)
    assert not (project / "runs").exists()


@pytest.mark.parametrize(
    ("name", "placed", "said"),
    [
        pytest.param("yolov5n.pt", "yolov5n.pt", "name of an old YOLOv5 file.*Use the file with a u", id="YOLOv5"),
        pytest.param("yolov5n.pt", "mine.pt", "holds an old YOLOv5 model.*Use the file with a u", id="YOLOv5, renamed"),
        pytest.param(
            "yolov8n_truncated_download.pt", "mine.pt", "cannot be read as weights", id="interrupted download"
        ),
    ],
)
def test_real_weights_files_that_cannot_be_trained(project: Path, name: str, placed: str, said: str) -> None:
    if not (SHARED / "weights" / name).is_file():
        pytest.skip(f"shared/weights/{name} is not here")
    (project / "weights").mkdir()
    (project / "weights" / placed).write_bytes((SHARED / "weights" / name).read_bytes())
    write_yaml(project / "attempts/4.yaml", {"base": 1, "model": f"weights/{placed}", "pretrained": True})
    with pytest.raises(WeightsError, match=said):
        train(project, 4)


def test_a_pickle_with_code_in_it_is_not_run(project: Path) -> None:
    """torch.load with code execution would create the file; also where Ultralytics was imported before us."""
    import pickle

    import torch

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.system, (f"touch {project}/pwned",))

    (project / "weights").mkdir()
    torch.save({"model": Hostile()}, project / "weights/hostile.pt", pickle_module=pickle)
    write_yaml(project / "attempts/4.yaml", {"base": 1, "model": "weights/hostile.pt"})
    with pytest.raises(WeightsError, match="refers to code that is no part of Ultralytics; it was not run"):
        train(project, 4)
    assert not (project / "pwned").exists()


def test_a_device_that_is_not_there(project: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InputError, match=r"train\.device: is 0, but torch finds no CUDA device"):
        train(project, 1, overrides={"device": "0"})


def test_ultralytics_accepts_the_built_data_yaml_and_every_image(project: Path) -> None:
    built = build(load(project, 1), silent).built
    track.check(load(project, 1), silent)
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(built.config_file), autodownload=False)
    assert data["names"] == {0: "chicken", 1: "onion"}
    for split, count in (("train", 12), ("val", 4), ("test", 4)):
        found = YOLODataset(data[split], data=data, imgsz=64, augment=False)
        assert len(found) == count
        assert all(len(label["cls"]) == 1 for label in found.labels)


def test_the_users_ultralytics_settings_are_left_alone_and_nothing_is_reported(tmp_path: Path) -> None:
    """In a process of its own, with a home of its own."""
    home = tmp_path / "home"
    theirs = home / ".config" / "Ultralytics"
    theirs.mkdir(parents=True)
    (theirs / "settings.json").write_text('{"sync": true, "mine": 1}')
    code = (
        "from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics; u = quiet_ultralytics();"
        "from ultralytics.utils import SETTINGS_FILE, events;"
        "assert u.settings['sync'] is False; assert not events.enabled if hasattr(events, 'enabled') else True;"
        "print(SETTINGS_FILE)"
    )
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("XDG_CONFIG_HOME", None)
    environment.pop("YOLO_CONFIG_DIR", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path / "cache") in done.stdout
    assert (theirs / "settings.json").read_text() == '{"sync": true, "mine": 1}'
    assert [file.name for file in theirs.iterdir()] == ["settings.json"]


def test_the_font_has_hangul() -> None:
    from PIL import ImageFont

    font = ImageFont.truetype(str(font_file()), 20)
    assert bytes(font.getmask("닭")) != bytes(font.getmask("\uffff"))
    assert bytes(font.getmask("닭")) != bytes(font.getmask("꿹"))


def _no_network(*_: object, **__: object) -> None:
    raise ConnectionError("no network")
