"""YOLO networks in the formats of other runtimes: in the user's cache for our own use, or in a folder of theirs."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from yolo_pipeline import decoding, images, runtimes
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.files import explain_os_error, folder_beside
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes import kept
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.runtimes.openvino import quiet_openvino
from yolo_pipeline.tracks.torch_device import has_cuda
from yolo_pipeline.tracks.yolo.asking import trained_imgsz
from yolo_pipeline.tracks.yolo.weights import load_weights

IN_TORCH = ("torch", "torch-half")
PACKAGES = {
    "openvino-int8": ("openvino", "nncf"),
    "openvino": ("openvino",),
    "onnx": ("onnx", "onnxruntime"),
}
"""Runtime with a network of its own -> packages that make and run it; the likely fastest first."""

FORMATS = {
    "onnx": ("onnx", {"dynamic": True, "simplify": False}, ("onnx",)),
    "openvino": ("openvino", {"dynamic": True}, ("openvino",)),
    "torchscript": ("torchscript", {"dynamic": True}, ()),
    "tflite": ("litert", {}, ("litert_torch", "ai_edge_litert")),
}
"""What `export` can make -> Ultralytics' name for it, its arguments, and packages that it needs."""

TARGETS: dict[str, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxruntime"),
    "openvino": ("openvino",),
    "tflite": ("litert_torch", "ai_edge_litert"),
    "torchscript": (),
    "bundle": (),
}
"""As `Track.targets`."""

LEAST_SAMPLES, _MOST_SAMPLES = 8, 300
_SECONDS_A_SAMPLE = 0.5
_MARK = ".yolo-pipeline-weights"  # Ultralytics replaces the suffix wherever it occurs in the path


def available(device: str | None) -> tuple[str, ...]:
    """What can run a YOLO network on a device, the likely fastest first."""
    if device not in ("cpu", "mps") and (device is not None or has_cuda()):
        return ("torch-half",)
    return tuple(name for name, packages in PACKAGES.items() if runtimes.installed(*packages))


def prepare(weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
    """As `Track.prepare`; what is there already is taken."""
    if runtime in IN_TORCH:
        return
    if runtime not in PACKAGES:
        raise InputError(f"runtime {runtime}", "there is no such one", f"Say torch, {', '.join(PACKAGES)}")
    for package in PACKAGES[runtime]:
        runtimes.require(package, f"runtime {runtime}")
    if runtime == "openvino-int8":
        _prepare_int8(weights, asking, samples, progress)
    elif kept.find(weights, runtime) is None:
        progress.say(f"exporting the network for {runtime}: once, about ten seconds")
        kept.make(weights, runtime, partial(_fill, weights, runtime))


def export(weights: Path, target: str, folder: Path, imgsz: int, progress: Progress) -> Path:
    """As `Track.export`. What has the same name there is replaced once the new one is whole."""
    for package in FORMATS[target][2]:
        runtimes.require(package, f"export to {target}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as temporary:
            made = _exported(weights, target, imgsz, Path(temporary) / weights.stem)
            if not made.is_dir():
                return made.replace(folder / made.name)
            with folder_beside(folder / made.name, replace=True) as building:
                for file in sorted(made.iterdir()):
                    file.replace(building / file.name)
            return folder / made.name
    except OSError as error:
        raise explain_os_error(folder, error) or error from error


def _fill(weights: Path, runtime: str, folder: Path) -> Path:
    """Exports into a folder of the cache, for the imgsz of the training, so that this is what its metadata say."""
    made = _exported(weights, runtime, None, folder / "network")
    if not made.is_dir():
        return made
    for file in sorted(made.iterdir()):
        file.replace(folder / file.name)
    made.rmdir()
    return folder / "network.xml"


def _exported(weights: Path, target: str, imgsz: int | None, stem: Path) -> Path:
    """The file or folder that Ultralytics makes beside `stem`."""
    name, arguments, _ = FORMATS[target]
    model = load_weights(weights)
    model.model.pt_path = f"{stem}{_MARK}"  # what it names its exports after; it is not read
    model.model.args = {**(getattr(model.model, "args", None) or {}), "data": None}  # a path on this machine
    try:
        with _quiet():
            if name == "openvino":
                quiet_openvino()  # before Ultralytics imports it, which leaves it to report to its makers
            made = model.export(format=name, imgsz=imgsz or trained_imgsz(model), device="cpu", **arguments)
    except OSError:
        raise
    except Exception as error:  # of Ultralytics, torch and the format's own packages
        reason = f"cannot be exported to {target}: {complaint(error, 300)}"
        raise WeightsError(weights, reason, "Use another format") from error
    return Path(made)


def _prepare_int8(weights: Path, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
    samples = images.evenly(samples, _MOST_SAMPLES)
    known = [[file.name, file.stat().st_size] for file in samples if file.is_file()]
    made_with = json.dumps([asking.imgsz, known]) if samples else None
    if kept.find(weights, "openvino-int8", made_with) is not None:
        return
    readable = [file for file in samples if _reads(file)]
    if len(readable) < LEAST_SAMPLES:
        reason = f"int8 measures its scales on training pictures, at least {LEAST_SAMPLES}; there are {len(readable)}"
        raise InputError(
            "runtime openvino-int8", reason, "Name a folder of pictures to calibrate on, or leave int8 out"
        )
    prepare(weights, "openvino", asking, (), progress)
    network = kept.find(weights, "openvino")
    assert network is not None  # it was prepared
    seconds = max(10, round(len(readable) * _SECONDS_A_SAMPLE, -1))
    progress.say(
        f"measuring the scales of int8 on {len(readable)} training pictures: once, about {seconds:.0f} seconds"
    )
    kept.make(weights, "openvino-int8", partial(_fill_int8, network, readable, asking.imgsz), made_with or "")


def _fill_int8(network: Path, samples: Sequence[Path], imgsz: int | None, folder: Path) -> Path:
    from yolo_pipeline.runtimes.calibration import quantize

    try:
        with _quiet():
            return quantize(network, samples, imgsz, folder)
    except (OSError, InputError):
        raise
    except Exception as error:  # OpenVINO's and NNCF's own
        reason = f"cannot be brought into 8 bits: {complaint(error, 300)}"
        raise WeightsError(network, reason, "Leave int8 out") from error


def _reads(file: Path) -> bool:
    try:
        decoding.decode_any(file)
    except images.UnreadableImage:
        return False
    return True


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Ultralytics, torch, OpenVINO and NNCF print while they export goes nowhere."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            yield
