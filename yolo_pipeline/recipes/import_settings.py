"""What a run folder of YOLOv5 or Ultralytics says of its settings, in Ultralytics' names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from yolo_pipeline import images, settings
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml

_ALWAYS_SHOWN = ("imgsz", "batch", "epochs", "patience", "workers", "seed")
_YOLOV5_NAMES = {"batch_size": "batch", "img_size": "imgsz"}
_ON_YOLOV5S_SCALE = (
    "box",
    "cls",
    "cls_pw",
    "obj",
    "obj_pw",
    "iou_t",
    "anchor_t",
    "fl_gamma",
)  # YOLOv5's, on its own scale
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """What is known of how a foreign run was trained.

    Attributes:
        model: as Ultralytics names it, or the name of a weights file; None where the folder does not say.
        pretrained: whether it started from weights; None where the folder does not say.
        train: settings with Ultralytics' names, without those that have its defaults.
        told: what has no such name, as it is there.
        notes: what was left out, each a sentence without a full stop.
    """

    model: str | None = None
    pretrained: bool | None = None
    train: dict[str, Any] = field(default_factory=dict)
    device: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def folder_settings(folder: Path) -> FolderSettings:
    """Settings out of args.yaml (Ultralytics), or opt.yaml and hyp.yaml (YOLOv5).

    Paths of the disk that it was trained on are not kept.

    Raises:
        InputError: one of these files cannot be read.
    """
    if (folder / "args.yaml").is_file():
        said = _mapping(folder / "args.yaml")
        return _settings(said, said.get("model"), said.get("pretrained", True), {})
    if not (folder / "opt.yaml").is_file():
        return FolderSettings(notes=("it holds no args.yaml or opt.yaml: the settings are not known",))
    said = _mapping(folder / "opt.yaml")
    inside = said.pop("hyp", None)
    hyp = _mapping(folder / "hyp.yaml") if (folder / "hyp.yaml").is_file() else inside
    hyp = hyp if isinstance(hyp, dict) else {}
    told = {key: hyp[key] for key in _ON_YOLOV5S_SCALE if key in hyp and _plain(hyp[key])}
    merged = {_YOLOV5_NAMES.get(key, key): value for key, value in {**hyp, **said}.items() if key not in told}
    if isinstance(sizes := merged.get("imgsz"), list) and len(set(map(repr, sizes))) == 1:
        merged["imgsz"] = sizes[0]  # [train, test] in versions before 6
    merged["freeze"] = _freeze(merged.get("freeze"))
    weights = said.get("weights")
    return _settings(merged, weights or said.get("cfg"), bool(weights), {"hyp": told} if told else {})


def weights_record(folder: Path) -> dict[str, Any] | None:
    """Name, size and sha256 of best.pt; it is neither loaded nor copied. None where it is not there."""
    file = folder / "weights" / "best.pt"
    if not file.is_file():
        return None
    try:
        return {"file": "weights/best.pt", "bytes": file.stat().st_size, "sha256": images.sha256(file)}
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Check its permissions") from error


def track_of(model: str | None) -> str | None:
    """The track that a model belongs to, by its name; None where that does not tell."""
    name = (model or "").lower()
    if name.startswith(("yolo", "rtdetr")):
        return "yolo"
    return "tfapi" if name.startswith(("ssd", "faster_rcnn", "centernet", "efficientdet")) else None


def _mapping(file: Path) -> dict[str, Any]:
    try:
        content = load_yaml(file)
    except BadYaml as error:
        raise InputError(file, f"cannot be read: {error}", "Mend it, or give results.csv alone") from error
    if not isinstance(content, dict):
        raise InputError(file, "holds no settings", "Mend it, or give results.csv alone")
    return {key: value for key, value in content.items() if isinstance(key, str)}


def _settings(said: Mapping[str, Any], model: Any, pretrained: Any, told: dict[str, Any]) -> FolderSettings:
    defaults = settings.yolo.defaults_of_ultralytics()
    train, wrong = {}, []
    for key in sorted(said.keys() & defaults.keys()):
        if key == "device" or said[key] is None or not _plain(said[key]):
            continue
        if said[key] == defaults[key] and key not in _ALWAYS_SHOWN:
            continue
        try:
            settings.yolo.check_train({key: said[key]})
        except settings.BadSettingError as error:
            if "must be" in str(error):  # else it is a setting of the kind that is not `train:`'s, such as `name`
                wrong.append(f"{key} {said[key]}")
            continue
        train[key] = said[key]
    notes = (f"settings that Ultralytics does not take are left out: {', '.join(wrong)}",) if wrong else ()
    name = _model_name(model)
    begun = bool(pretrained) and not (name or "").endswith((".yaml", ".yml"))
    name = name.rpartition(".")[0] if name and name.rpartition(".")[0] in settings.yolo.models() else name
    device = said.get("device")
    shown = one_line(str(device))[:_LONGEST] if device is not None and _plain(device) else ""
    return FolderSettings(name, begun if name else None, train, shown, told, notes)


def _model_name(value: Any) -> str | None:
    """The file's name without the folders of another disk, be it Windows' or not."""
    return one_line(PureWindowsPath(value).name)[:_LONGEST] or None if isinstance(value, str) else None


def _freeze(value: Any) -> Any:
    """YOLOv5 writes the number of frozen layers as a list of one; 0 of them is no setting."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return None if value == 0 else value


def _plain(value: Any) -> bool:
    """A word, a number, nothing, or a short list of such: what a setting can be."""
    if isinstance(value, list):
        return len(value) <= 100 and all(not isinstance(entry, list) and _plain(entry) for entry in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int)) or (isinstance(value, str) and len(value) <= _LONGEST)
