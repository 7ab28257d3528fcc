"""A small trained network in every format: it finds what torch finds, without torch, quietly, and is kept."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended
from small_network import IMGSZ, NAMES, squares, train_small_network, write_pictures

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.geometry import iou
from yolo_pipeline.judging.coco import results_json, truth_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import Box, Detection, ImageRecord, Truth
from yolo_pipeline.progress import silent
from yolo_pipeline.runtimes import kept, open_network
from yolo_pipeline.tracks.yolo import export as yolo_export
from yolo_pipeline.tracks.yolo.track import track

FLOATS = ("openvino", "onnx")
ASKING = Asking(imgsz=IMGSZ, conf=0.05)
SHAPES = {
    "landscape": (96, 64), "portrait": (64, 96), "square": (96, 96), "large": (500, 333), "small": (20, 30),
    "one pixel": (1, 1), "a line": (3000, 1), "an upright line": (1, 3000),
}  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """Weights, pictures to calibrate on, and the command that made networks of them: in an empty cache and home."""

    weights: Path
    samples: list[Path]
    by: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home and a cache of their own for this process, and those that it starts."""
    root = tmp_path_factory.mktemp("user")
    (root / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(root / "home"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        yield root / "home"


@pytest.fixture(scope="module")
def prepared(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("model")
    weights = train_small_network(folder / "small.pt")
    samples = write_pictures(folder / "samples", 16, start=200)
    write_pictures(folder / "scraped", 3)
    calibrated = ("--runtime", "openvino", "--int8", "--calibrate", folder / "samples")
    by = detect_alone(weights, folder / "scraped", folder / "out", *calibrated)
    track.prepare(weights, "onnx", ASKING, (), silent)
    return Prepared(weights, samples, by)


def asked(weights: Path, source: Path, out: Path, *more: object) -> list[str]:
    said = ("detect", "--weights", weights, source, "--conf", 0.5, "--imgsz", IMGSZ, "--out", out, "--json", *more)
    return [str(one) for one in said]


def detect_alone(weights: Path, source: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which tells in the end what it has imported."""
    command = [sys.executable, "-c", AND_TELL, *asked(weights, source, out, *more)]
    return subprocess.run(command, capture_output=True, text=True)


AND_TELL = """
import json, sys
from yolo_pipeline.cli import run
code = run(sys.argv[1:])
print(json.dumps([name for name, module in sys.modules.items() if module is not None]), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def torch_finds(prepared: Prepared) -> Callable[[Pixels], list[Detection]]:
    predict = track.open(prepared.weights, ASKING)
    return lambda picture: predict([picture])[0]


def shown(shape: tuple[int, int]) -> Pixels:
    if min(shape) < 16:
        return np.random.default_rng(1).integers(0, 256, size=(shape[1], shape[0], 3), dtype=np.uint8)
    return squares(1002, *shape)[0]


def same(ours: list[Detection], theirs: list[Detection]) -> None:
    """Class by class; scores to 0.001, corners to half a pixel. Near the lowest confidence one may lack a box."""
    for some, others in ((ours, theirs), (theirs, ours)):
        for one in some:
            if one.score > ASKING.conf + 0.001:
                best = max((two for two in others if two.label == one.label), key=lambda two: iou(one.box, two.box))
                assert best.score == pytest.approx(one.score, abs=1e-3)
                for side in ("x0", "y0", "x1", "y1"):
                    assert getattr(best.box, side) == pytest.approx(getattr(one.box, side), abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", FLOATS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_fast_runtime_finds_what_torch_finds(
    prepared: Prepared, torch_finds: Callable[[Pixels], list[Detection]], runtime: str, shape: tuple[int, int]
) -> None:
    predict = track.open(prepared.weights, ASKING, runtime)
    assert (predict.names, predict.imgsz) == (NAMES, IMGSZ)
    picture = shown(shape)
    found, expected = predict([picture])[0], torch_finds(picture)
    same(found, expected)
    if min(shape) >= 64:
        assert max(one.score for one in found) > 0.25
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.slow
def test_every_export_finds_what_torch_finds(
    prepared: Prepared, torch_finds: Callable[[Pixels], list[Detection]], tmp_path: Path
) -> None:
    """TorchScript here, which is no runtime of `detect`; the others are tried as they lie in the cache."""
    (tmp_path / "torchscript").mkdir()
    (tmp_path / "torchscript" / "small.torchscript").write_text("an older one")
    file = track.export(prepared.weights, "torchscript", tmp_path / "torchscript", Asking(imgsz=IMGSZ), (), silent)
    assert file == tmp_path / "torchscript" / "small.torchscript"
    assert list(file.parent.iterdir()) == [file]
    assert list(prepared.weights.parent.glob("small*")) == [prepared.weights]
    predict = open_network(file, ASKING)
    for shape in SHAPES.values():
        same(predict([shown(shape)])[0], torch_finds(shown(shape)))


@pytest.mark.slow
def test_int8_finds_most_of_it(prepared: Prepared) -> None:
    """By mAP50 against what is on the pictures, none of which was trained or calibrated on."""
    pictures = [squares(seed) for seed in range(2000, 2024)]
    truths = [
        ImageRecord(Path(), str(at), 96, 64, "", tuple(truth(row) for row in rows))
        for at, (_, rows) in enumerate(pictures)
    ]
    truth_of_all = truth_json(truths, NAMES, {one.name: one.name for one in truths}, {Path(): ""})
    scores = {}
    for runtime in ("torch", "openvino", "openvino-int8"):
        predict = track.open(prepared.weights, replace(ASKING, conf=0.001), runtime)
        found = [predict([pixels])[0] for pixels, _ in pictures]
        scores[runtime] = judge(truth_of_all, results_json(found, NAMES)).mAP50
    assert scores["torch"] > 0.8
    assert scores["openvino"] == pytest.approx(scores["torch"], abs=0.002)
    assert scores["openvino-int8"] > scores["torch"] - 0.05
    network = kept.find(prepared.weights, "openvino-int8")
    assert network is not None
    assert 'type="FakeQuantize"' in network.read_text()


def truth(row: tuple[int, float, float, float, float]) -> Truth:
    label, x, y, w, h = row
    return Truth(Box((x - w / 2) * 96, (y - h / 2) * 64, (x + w / 2) * 96, (y + h / 2) * 64), NAMES[label])


@pytest.mark.slow
@pytest.mark.parametrize("runtime", [*FLOATS, "openvino-int8"])
def test_several_threads_are_told_what_one_is(prepared: Prepared, runtime: str) -> None:
    predict = track.open(prepared.weights, ASKING, runtime)
    pictures = [squares(seed, *((96, 64), (64, 96), (120, 50))[seed % 3])[0] for seed in range(48)]
    alone = [predict([picture])[0] for picture in pictures]
    with ThreadPoolExecutor(max(predict.callers, 2) if runtime != "openvino-int8" else predict.callers) as pool:
        together = [found for [found] in pool.map(predict, ([picture] for picture in pictures * 3))]
    for ours, theirs in zip(together, alone * 3, strict=True):
        same(ours, theirs)
    assert predict(pictures[:5]) == [predict([picture])[0] for picture in pictures[:5]]


@pytest.mark.slow
def test_fewer_boxes_of_higher_confidence_are_the_best_of_all(prepared: Prepared) -> None:
    picture = shown((96, 64))

    def found(**more: float) -> list[Detection]:
        return track.open(prepared.weights, replace(ASKING, **more), "onnx")([picture])[0]

    every = found(conf=0.001, iou=0.9)
    assert len(every) > 5
    assert found(conf=0.001, iou=0.9, most=3) == every[:3]
    assert found(conf=0.5, iou=0.9) == [one for one in every if one.score > 0.5]


# What is prepared, and what cannot be


class Said:
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.slow
def test_a_network_is_made_once_and_anew_when_it_is_damaged(prepared: Prepared, tmp_path: Path) -> None:
    weights = Path(shutil.copy(prepared.weights, tmp_path / "the same under another name.pt"))
    network = kept.find(weights, "onnx")
    assert network is not None
    before = network.read_bytes()
    told = Said()
    track.prepare(weights, "onnx", ASKING, (), told)  # type: ignore[arg-type]
    assert not told.lines
    network.write_bytes(before[:1000])
    assert not track.prepared(weights, "onnx")
    with pytest.raises(WeightsError, match="was not prepared for the runtime onnx"):
        track.open(weights, ASKING, "onnx")
    track.prepare(weights, "onnx", ASKING, (), told)  # type: ignore[arg-type]
    assert told.lines == ["exporting the network for onnx: once, about ten seconds"]
    assert track.open(weights, ASKING, "onnx")([shown((96, 64))])[0]


@pytest.mark.slow
def test_int8_is_measured_again_on_other_pictures_alone(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked without pictures takes what is there."""
    asked: list[int] = []
    monkeypatch.setattr(yolo_export, "_reads", lambda file: bool(asked.append(1)))
    track.prepare(prepared.weights, "openvino-int8", ASKING, prepared.samples, silent)
    track.prepare(prepared.weights, "openvino-int8", ASKING, (), silent)
    assert not asked
    for samples, asking in ((prepared.samples[1:], ASKING), (prepared.samples, replace(ASKING, imgsz=64))):
        with pytest.raises(InputError, match="at least 8; there are 0"):
            track.prepare(prepared.weights, "openvino-int8", asking, samples, silent)


@pytest.mark.parametrize(
    ("readable", "there"),
    [pytest.param(0, 0, id="none"), pytest.param(7, 7, id="too few"), pytest.param(3, 9, id="most of them unreadable")],
)
def test_too_few_pictures_for_int8(tmp_path: Path, readable: int, there: int) -> None:
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"not asked")
    samples = write_pictures(tmp_path / "samples", there)
    for file in samples[readable:]:
        file.write_bytes(b"no picture")
    with pytest.raises(InputError) as refused:
        track.prepare(weights, "openvino-int8", ASKING, samples, silent)
    assert str(refused.value) == (
        "runtime openvino-int8: int8 measures its scales on training pictures, at least 8; "
        f"there are {readable}. Name a folder of pictures to calibrate on, or leave int8 out"
    )


@pytest.mark.parametrize(
    ("runtime", "package", "extra"),
    [
        pytest.param("onnx", "onnx", "onnx", id="onnx"),
        pytest.param("onnx", "onnxruntime", "onnx", id="onnxruntime"),
        pytest.param("openvino", "openvino", "openvino", id="openvino"),
        pytest.param("openvino-int8", "nncf", "openvino", id="nncf"),
    ],
)
def test_a_missing_package_is_named_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, package: str, extra: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == package else find(asked))
    with pytest.raises(InputError) as refused:
        track.prepare(tmp_path / "best.pt", runtime, ASKING, (), silent)
    assert str(refused.value) == (
        f'runtime {runtime}: needs {package}, which is not installed. Type: python -m pip install "yolo_pipeline[{extra}]"'
    )
    assert runtime not in track.runtimes("cpu")


def test_what_is_installed_the_likely_fastest_first() -> None:
    assert track.runtimes("cpu") == ("openvino-int8", "openvino", "onnx")
    assert track.runtimes("0") == ("torch-half",)


def test_a_runtime_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"runtime tensorrt: there is no such one\. Say torch, openvino-int8"):
        track.prepare(tmp_path / "best.pt", "tensorrt", ASKING, (), silent)


def test_weights_that_cannot_be_exported_leave_nothing(tmp_path: Path) -> None:
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"best\.pt: cannot be read as weights"):
        track.prepare(weights, "onnx", ASKING, (), silent)
    with pytest.raises(WeightsError, match=r"best\.pt: cannot be read as weights"):
        track.export(weights, "onnx", tmp_path / "out", Asking(imgsz=IMGSZ), (), silent)
    assert not track.prepared(weights, "onnx")
    assert list((tmp_path / "out").iterdir()) == []


def test_half_precision_wants_a_cuda_device(tmp_path: Path) -> None:
    weights = train_nothing(tmp_path / "random.pt")
    with pytest.raises(InputError, match=r"runtime torch-half: is for CUDA devices; this one is cpu\. Use torch"):
        track.open(weights, Asking(device="cpu"), "torch-half")


def train_nothing(weights: Path) -> Path:
    from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

    quiet_ultralytics().YOLO("yolov8n.yaml").save(weights)
    return weights


# Commands


@pytest.mark.slow
@pytest.mark.parametrize("runtime", FLOATS)
def test_a_prepared_runtime_needs_no_torch(
    prepared: Prepared, tmp_path: Path, cli: Callable[..., Ended], runtime: str
) -> None:
    """The first command checks it, which takes torch; the second one does not."""
    source = write_pictures(tmp_path / "scraped", 12)[0].parent
    first = cli(*asked(prepared.weights, source, tmp_path / "first", "--runtime", runtime))
    assert first.code == 0, first.err
    assert f"checking whether {runtime} finds what torch finds: once, on 12 pictures" in first.err
    second = detect_alone(prepared.weights, source, tmp_path / "second", "--runtime", runtime)
    assert second.returncode == 0, second.stderr
    assert "checking" not in second.stderr
    imported = set(json.loads(second.stderr.splitlines()[-1]))
    assert not {"torch", "torchvision", "ultralytics", "matplotlib", "pandas", "plotly", "nncf"} & imported
    told, again = json.loads(first.out), json.loads(second.stdout)
    assert (Path(told.pop("folder")), Path(again.pop("folder"))) == (tmp_path / "first", tmp_path / "second")
    assert again == told
    assert json.loads(second.stdout)["thresholds"]["0.5"]["boxes"] >= 12
    assert (tmp_path / "first" / "detections.csv").read_bytes() == (tmp_path / "second" / "detections.csv").read_bytes()


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
from pathlib import Path
from yolo_pipeline.asking import Asking
from yolo_pipeline.runtimes import open_network
held = [open_network(Path(sys.argv[1]), Asking())]
thread = threading.Thread(target=lambda: held.pop()([np.zeros((64, 64, 3), dtype=np.uint8)]))
thread.start()
thread.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.parametrize("runtime", FLOATS)
def test_ctrl_c_once_a_thread_has_let_a_network_go(prepared: Prepared, runtime: str) -> None:
    """OpenVINO would then leave the main thread a stack for signals that is no more."""
    network = str(kept.find(prepared.weights, runtime))
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, network], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


@pytest.mark.slow
def test_preparing_prints_nothing_but_the_result(prepared: Prepared) -> None:
    """In an empty cache: export, 8 bits, check and detection."""
    assert prepared.by.returncode == 0, prepared.by.stderr
    assert json.loads(prepared.by.stdout)["images"] == 3
    *words, imported = prepared.by.stderr.splitlines()
    assert {"torch", "ultralytics", "openvino", "nncf"} <= set(json.loads(imported))
    assert [line.split(":")[0] for line in words if not line.startswith("detecting")] == [
        "exporting the network for openvino",
        "measuring the scales of int8 on 16 training pictures",
        "checking whether openvino-int8 finds what torch finds",
        "openvino-int8",
        "runtime openvino-int8",
        "writing tables, contact sheet and page",
        "Page",
    ]


@pytest.mark.slow
def test_nothing_is_reported_to_the_makers_of_openvino_and_nncf(prepared: Prepared, home: Path) -> None:
    """The package that does so is installed with them; it notes in the home folder who it is that reports."""
    imported = json.loads(prepared.by.stderr.splitlines()[-1])
    assert "openvino.tools.ovc" in imported
    assert [name for name in imported if name.split(".")[0] == "openvino_telemetry"] == []
    track.export(prepared.weights, "openvino", prepared.weights.parent / "exported", Asking(imgsz=IMGSZ), (), silent)
    with pytest.raises(ImportError):
        importlib.import_module("openvino_telemetry")
    assert [path for path in home.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_another_network_in_its_place_is_refused_by_name_and_left_out_by_auto(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Ended]
) -> None:
    """One with the same classes and size that has learnt nothing, whole and with a manifest."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    untrained = train_small_network(tmp_path / "untrained.pt", steps=1)
    other = track.export(untrained, "onnx", tmp_path, Asking(imgsz=IMGSZ), (), silent)
    kept.make(prepared.weights, "onnx", lambda folder: Path(shutil.copy(other, folder / "network.onnx")))
    source = write_pictures(tmp_path / "scraped", 8)[0].parent
    by_name = cli(*asked(prepared.weights, source, tmp_path / "a", "--runtime", "onnx"))
    assert by_name.code == 3
    last = by_name.err.strip().splitlines()[-1]
    assert last.startswith("error: runtime onnx: does not find what torch finds: mAP50 ")
    assert last.endswith("on 8 pictures, where 0.002 is allowed. Use torch")
    assert by_name.out == ""
    by_itself = cli(*asked(prepared.weights, source, tmp_path / "b"))
    assert by_itself.code == 0, by_itself.err
    assert "left out: runtime onnx: does not find what torch finds" in by_itself.err
    assert json.loads((tmp_path / "b" / "detect.json").read_text())["runtime"] == "torch"


def test_a_predictor_is_a_value(prepared: Prepared) -> None:
    predict = track.open(prepared.weights, ASKING, "onnx")
    assert isinstance(predict, Predictor)
    assert (predict.batch, predict.callers) == (1, 2)
    assert predict([]) == []
