"""Networks in OpenVINO's format, on the processor."""

from __future__ import annotations

import functools
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml
from yolo_pipeline.runtimes.description import Description, describe
from yolo_pipeline.runtimes.network import Network, Run, fixed_size, unreadable

_THROUGHPUT = {"PERFORMANCE_HINT": "THROUGHPUT"}
_SHAPES_KEPT = 8


def open_file(file: Path) -> Network:
    """Opens FILE.xml, with FILE.bin and metadata.yaml beside it.

    As many pictures as OpenVINO has streams are worked on at a time; one more caller prepares the next.

    Raises:
        WeightsError: it cannot be read, or is no detector.
    """
    told = described(file)
    core = _core()
    try:
        model = core.read_model(file)
        size = fixed_size(file, [side.get_length() if side.is_static else None for side in model.input().partial_shape])
        if size is None and _must_be_fixed(model):
            return Network(file, told, None, _shape_by_shape(core, file))
        compiled = _compiled(core, model)
        streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    except WeightsError:
        raise
    except Exception as error:  # OpenVINO raises RuntimeError, TypeError and others
        raise unreadable(file, "an OpenVINO network", error) from error
    return Network(file, told, size, _asked(compiled), callers=streams + 1)


def described(file: Path) -> Description:
    """What metadata.yaml beside a network says of it."""
    try:
        return describe(file, load_yaml(file.with_name("metadata.yaml")))
    except BadYaml as error:
        raise WeightsError(file.with_name("metadata.yaml"), str(error), "Export the network again") from error


def quiet_openvino() -> Any:
    """OpenVINO, without the package by which it and NNCF report to their makers."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: its import fails
    import openvino

    return openvino


@functools.cache
def _core() -> Any:
    """One for as long as the process lives. With its last network a core takes away the stack for signals that it has
    given to a thread; where another thread lets that network go, the next Ctrl-C would crash.
    """
    return quiet_openvino().Core()


def _compiled(core: Any, model: Any) -> Any:
    """With what lies before the network (order of colours and axes, 0 to 1) as a part of it."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    given = steps.input()
    given.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    given.model().set_layout(Layout("NCHW"))
    given.preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(255.0)
    return core.compile_model(steps.build(), "CPU", _THROUGHPUT)


def _asked(compiled: Any) -> Run:
    """A request for each thread: OpenVINO's own queue of them can hang for good."""
    mine = threading.local()

    def run(shown: Pixels) -> npt.NDArray[np.floating]:
        if not hasattr(mine, "request"):
            mine.request = compiled.create_infer_request()
        mine.request.infer({0: shown[None]}, share_inputs=True)
        output: npt.NDArray[np.floating] = mine.request.get_output_tensor(0).data
        return output

    return run


def _must_be_fixed(model: Any) -> bool:
    """Networks of whole numbers and any size crash on processors with AMX (openvinotoolkit/openvino issue 37577)."""
    processor = Path("/proc/cpuinfo")
    whole_numbers = any(operation.get_type_name() == "FakeQuantize" for operation in model.get_ops())
    return whole_numbers and processor.is_file() and "amx_int8" in processor.read_text()


def _shape_by_shape(core: Any, file: Path) -> Run:
    """The same network, made for each size of picture when the first one comes."""

    @functools.lru_cache(maxsize=_SHAPES_KEPT)
    def sized(height: int, width: int) -> Run:
        model = core.read_model(file)
        model.reshape([1, 3, height, width])
        return _asked(_compiled(core, model))

    return lambda shown: sized(*shown.shape[:2])(shown)
