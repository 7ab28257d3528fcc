"""A YOLO model asked through Ultralytics: what every other runtime is held to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.runtimes.letterbox import rounded_up
from yolo_pipeline.tracks.torch_device import device_of, explained, use_all_cores
from yolo_pipeline.tracks.yolo.weights import load_weights

OTHER_WEIGHTS = "Use weights that Ultralytics saved"
"""The remedy for some that it cannot ask."""

_BATCH_ON_GPU, _BATCH_ON_CPU = 16, 4
_UNTOLD_IMGSZ = 640
_LEAST_STRIDE = 32


def open_torch(weights: Path, asking: Asking, *, half: bool = False) -> Predictor:
    model = load_weights(weights)
    device = device_of(asking.device, "device")
    if half and device in ("cpu", "mps"):
        raise InputError("runtime torch-half", f"is for CUDA devices; this one is {device}", "Use torch")
    imgsz = rounded_up(asking.imgsz or trained_imgsz(model), stride_of(model))
    model.add_callback("on_predict_start", lambda _: use_all_cores())

    def find(batch: Sequence[Pixels]) -> list[list[Detection]]:
        """Pictures of one shape go together: a mixed batch would be padded, and so judged, by its neighbours."""
        found: list[list[Detection]] = [[] for _ in batch]
        for shape in dict.fromkeys(picture.shape for picture in batch):
            places = [place for place, picture in enumerate(batch) if picture.shape == shape]
            with explained(weights, OTHER_WEIGHTS):
                results = model.predict(
                    [batch[place] for place in places],
                    imgsz=imgsz,
                    conf=asking.conf,
                    iou=asking.iou,
                    max_det=asking.most,
                    device=device,
                    quantize=16 if half else None,
                    verbose=False,
                )
            for place, result in zip(places, results, strict=True):
                found[place] = _detections(result)
        return found

    names = tuple(str(name) for _, name in sorted(model.names.items()))
    return Predictor(find, names, imgsz, _BATCH_ON_CPU if device == "cpu" else _BATCH_ON_GPU)


def trained_imgsz(model: Any, untold: int = _UNTOLD_IMGSZ) -> int:
    """The imgsz that a checkpoint says it was trained at, as Ultralytics keeps it; `untold` where it does not."""
    said = (getattr(model.model, "args", None) or {}).get("imgsz")
    return said if isinstance(said, int) and said > 0 else untold


def stride_of(model: Any) -> int:
    """What Ultralytics' `predict` rounds imgsz up to multiples of (nn/backends/pytorch.py)."""
    strides = getattr(model.model, "stride", None)
    return _LEAST_STRIDE if strides is None else max(int(strides.max()), _LEAST_STRIDE)


def _detections(result: Any) -> list[Detection]:
    boxes = result.boxes
    rows = zip(boxes.xyxy.tolist(), boxes.cls.tolist(), boxes.conf.tolist(), strict=True)
    return [Detection(Box(*corners), result.names[int(label)], score) for corners, label, score in rows]
