"""What is opened as a network, what is said where it cannot be, and what must be installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended

from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.runtimes import installed, model_file, network_file, open_network, version
from yolo_pipeline.runtimes.description import Description
from yolo_pipeline.runtimes.network import Network, fixed_size

METADATA = "task: detect\nstride: 32\nimgsz: [64, 64]\nnames: {0: a, 1: b}\n"


def test_the_file_of_a_network(tmp_path: Path) -> None:
    folder = tmp_path / "best_openvino_model"
    folder.mkdir()
    assert network_file(folder) is None
    for name in ("best.xml", "best.bin"):
        (folder / name).touch()
    assert network_file(folder) == folder / "best.xml"
    (folder / "other.xml").touch()
    assert network_file(folder) is None
    assert network_file(Path("a.ONNX")) == Path("a.ONNX")
    assert network_file(Path("best.pt")) is None


@pytest.mark.parametrize(
    ("files", "named"),
    [
        pytest.param(["attempt-5.onnx", "export.json"], "attempt-5.onnx", id="an export"),
        pytest.param(["best.bin", "best.xml", "metadata.yaml"], "best.xml", id="OpenVINO"),
        pytest.param(
            ["export.json", "닭_openvino_model/닭.xml"], "닭_openvino_model/닭.xml", id="a folder in a folder"
        ),
        pytest.param(["README.md", "best.PT", "old/best.pt"], "best.PT", id="weights"),
    ],
)
def test_a_folder_stands_for_the_only_model_in_it(tmp_path: Path, files: list[str], named: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert model_file(tmp_path) == tmp_path / named
    assert model_file(tmp_path / named) == tmp_path / named


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param(
            ["best.pt", "last.pt"],
            "is a folder that holds several models: best.pt, last.pt. Name one of these files",
            id="several",
        ),
        pytest.param(
            ["attempt-5.tar.gz", "export.json"],
            "is a folder that holds no weights and no exported network (.pt, .onnx, .xml, .torchscript, .tflite). "
            "Name the file",
            id="none",
        ),
    ],
)
def test_a_folder_that_stands_for_no_model(tmp_path: Path, files: list[str], said: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(WeightsError) as refused:
        model_file(tmp_path)
    assert str(refused.value) == f"{tmp_path}: {said}"


@pytest.mark.parametrize("name", ["README.md", "attempt-5.tar.gz", "yolov8n.yaml", "best", "best.pt.7z", "닭.PTH"])
def test_other_files_are_no_models_for_the_command(tmp_path: Path, cli: Callable[..., Ended], name: str) -> None:
    (tmp_path / name).write_bytes(b"# Detector")
    ended = cli("detect", "--weights", tmp_path / name, tmp_path, "--out", tmp_path / "out")
    assert ended.code == 3
    assert ended.err.strip() == (
        f"error: {tmp_path / name}: is no weights file and no exported network. "
        "Name a file that ends in .pt, .onnx, .xml, .torchscript or .tflite"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["http://localhost:8000/yolov8n", "grpc://localhost/best.pt", "ul://a/b/c", "yolov8n.pt"]
)
def test_urls_and_mere_names_of_models_are_no_files(tmp_path: Path, cli: Callable[..., Ended], name: str) -> None:
    ended = cli("detect", "--weights", name, tmp_path, "--out", tmp_path / "out")
    assert ended.code == 3
    assert ended.err.strip() == f"error: {Path(name)}: there is no such file. Check --weights"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("best.pt", b"", "is no exported network. Name a file that ends in .onnx", id="weights"),
        pytest.param("none.onnx", None, "there is no such file", id="missing"),
        pytest.param("a.onnx", b"", "cannot be read as an ONNX network", id="empty ONNX"),
        pytest.param("a.onnx", b"\x08\x07" + b"\xff" * 99, "cannot be read as an ONNX network", id="broken ONNX"),
        pytest.param("a.xml", b"", "cannot be read as an OpenVINO network", id="empty XML"),
        pytest.param("a.xml", b"<net><layers/></net>", "cannot be read as an OpenVINO network", id="no network"),
        pytest.param("a.torchscript", b"PK", "cannot be read as a TorchScript network", id="broken TorchScript"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_line(
    tmp_path: Path, cli: Callable[..., Ended], name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
        (tmp_path / "metadata.yaml").write_text(METADATA)
    with pytest.raises(WeightsError) as refused:
        open_network(tmp_path / name, Asking())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_line_says_it_with_exit_code_3(tmp_path: Path, cli: Callable[..., Ended]) -> None:
    (tmp_path / "a.xml").write_text("<net/>")
    (tmp_path / "metadata.yaml").write_text(METADATA.replace("32", "0"))
    (tmp_path / "scraped").mkdir()
    (tmp_path / "scraped" / "a.png").touch()
    ended = cli("detect", "--weights", tmp_path / "a.xml", tmp_path / "scraped", "--out", tmp_path / "out")
    assert ended.code == 3
    assert (
        ended.err.strip()
        .splitlines()[-1]
        .endswith(
            "a.xml: says stride: 0, which is no whole number from 1 to 1024. "
            "Export it again with Ultralytics or yolo_pipeline"
        )
    )
    assert ended.out == ""


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        pytest.param("a.onnx", "onnxruntime", "onnx", id="onnx"),
        pytest.param("a.xml", "openvino", "openvino", id="openvino"),
        pytest.param("a.tflite", "ai_edge_litert", "litert", id="tflite"),
    ],
)
def test_a_missing_package_is_named_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == package else find(asked))
    (tmp_path / name).touch()
    with pytest.raises(InputError) as refused:
        open_network(tmp_path / name, Asking())
    assert str(refused.value) == (
        f'{tmp_path / name}: needs {package}, which is not installed. Type: python -m pip install "yolo_pipeline[{extra}]"'
    )


def test_a_folder_of_exports_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tflite_of_mine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not installed("tflite_of_mine")
    assert installed("numpy", "cv2")
    assert not installed("numpy", "no_such_package")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('__version__ = "1.2.3+gpu"', "1.2.3+gpu", id="says it itself"),
        pytest.param("", "unknown", id="says nothing"),
        pytest.param('raise OSError("no driver")', "unknown", id="cannot be imported"),
    ],
)
def test_the_version_of_a_package_whose_wheel_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    package = f"runtime_of_mine_{len(text)}"  # each is imported once
    (tmp_path / f"{package}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert version(package) == said
    wheel = tmp_path / f"{package}-4.5.dist-info"
    wheel.mkdir()
    (wheel / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 4.5\n")
    importlib.invalidate_caches()
    assert version(package) == "4.5"


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        pytest.param([1, 3, 480, 640], (480, 640), id="fixed"),
        pytest.param(["batch", 3, "height", "width"], None, id="any"),
        pytest.param([None, None, None, None], None, id="nothing is told"),
    ],
)
def test_sizes_of_networks(shape: list[object], size: tuple[int, int] | None) -> None:
    assert fixed_size(Path("a.onnx"), shape) == size


@pytest.mark.parametrize("shape", [[8, 3, 64, 64], [1, 1, 64, 64], [1, 3, 64, None], [1, 3], []])
def test_networks_that_take_something_else(shape: list[object]) -> None:
    with pytest.raises(WeightsError, match=r"a\.onnx: takes .*, and not one picture in colours at a time"):
        fixed_size(Path("a.onnx"), shape)


def network(output: np.ndarray, suppresses: bool = False) -> Network:
    told = Description(("a", "b"), 32, (64, 64), True, suppresses)
    return Network(Path("a.onnx"), told, None, lambda shown: output)


@pytest.mark.parametrize(
    ("asked", "size", "shown"),
    [
        pytest.param(100, None, 128, id="rounded up"),
        pytest.param(96, None, 96, id="a multiple"),
        pytest.param(None, None, 64, id="as trained"),
        pytest.param(100, (32, 64), 64, id="fixed"),
    ],
)
def test_a_predictor_says_what_the_network_is_shown(
    asked: int | None, size: tuple[int, int] | None, shown: int
) -> None:
    sides: list[int] = []

    def run(picture: np.ndarray) -> np.ndarray:
        sides.append(max(picture.shape[:2]))
        return np.zeros((1, 6, 1))

    told = Description(("a", "b"), 32, (64, 64), size is None, False)
    predict = Network(Path("a.onnx"), told, size, run).predictor(Asking(imgsz=asked))
    predict([np.zeros((50, 100, 3), dtype=np.uint8)])
    assert (predict.imgsz, sides) == (shown, [shown])


@pytest.mark.parametrize(
    ("output", "suppresses"),
    [
        pytest.param(np.zeros((1, 5, 84)), False, id="a class too few"),
        pytest.param(np.zeros((1, 84)), False, id="a row"),
        pytest.param(np.zeros(()), False, id="a number"),
        pytest.param(np.zeros((1, 0, 0)), False, id="nothing"),
        pytest.param(np.zeros((1, 4, 7)), True, id="a column too many"),
        pytest.param(np.array([[[0, 0, 1, 1, 0.9, 2]]]), True, id="a class that is none"),
        pytest.param(np.array([[[0, 0, 1, 1, 0.9, -1]]]), True, id="a class below 0"),
        pytest.param(np.array([[[0, 0, 1, 1, 0.9, np.nan]]]), True, id="a class that is no number"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_an_output_that_is_no_detectors(output: np.ndarray, suppresses: bool) -> None:
    predict = network(output, suppresses).predictor(Asking())
    with pytest.raises(WeightsError, match=r"a\.onnx: puts out .*, which does not fit its 2 classes"):
        predict([np.zeros((64, 64, 3), dtype=np.uint8)])


def test_what_a_runtime_raises_becomes_a_line() -> None:
    def run(shown: np.ndarray) -> np.ndarray:
        raise RuntimeError("bad\nthings")

    told = Description(("a", "b"), 32, (64, 64), True, False)
    predict = Network(Path("a.onnx"), told, None, run).predictor(Asking())
    with pytest.raises(WeightsError, match=r"a\.onnx: cannot be asked: bad things\. Export it again"):
        predict([np.zeros((64, 64, 3), dtype=np.uint8)])
