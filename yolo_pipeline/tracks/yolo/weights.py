"""Ultralytics kept quiet, and the weights that a YOLO attempt starts from."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import images, settings
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.errors import WeightsError, unfetched
from yolo_pipeline.files import cache_folder
from yolo_pipeline.fonts import font_file
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes import RUNTIMES, WEIGHTS
from yolo_pipeline.runtimes.complaints import complaint

Task = Literal["detect", "classify"]

_ARCHITECTURES = (".yaml", ".yml")
_TASKS = {"detect": "detection", "classify": "classification"}
_TRACKS = {"detect": "yolo", "classify": "classify"}
_MOST_PICKLED = 2**26  # bytes
_INTEGRATIONS = ("clearml", "comet", "dvc", "mlflow", "neptune", "raytune", "sync", "tensorboard", "wandb")


def quiet_ultralytics() -> Any:
    """Ultralytics, told to keep to itself: settings in a folder of ours, no reports, no installs, no pickled code.

    Its fonts are put in place beforehand, as it would fetch them otherwise.
    """
    if "ultralytics" not in sys.modules:
        folder = cache_folder() / "ultralytics"
        fonts = folder / "Ultralytics"
        fonts.mkdir(parents=True, exist_ok=True)
        for name in ("Arial.ttf", "Arial.Unicode.ttf"):
            if not (fonts / name).exists():
                shutil.copyfile(font_file(), fonts / name)
        os.environ["YOLO_CONFIG_DIR"] = str(folder)
        os.environ["YOLO_OFFLINE"] = "1"  # at import it would look for the network, to report and to update
        os.environ["YOLO_AUTOINSTALL"] = "false"
        os.environ["YOLO_VERBOSE"] = "false"  # what it says on stdout would stand among results
    import ultralytics
    from ultralytics.nn import tasks
    from ultralytics.utils.events import events

    tasks.SAFE_LOAD = True  # checkpoints load with an allow-list of classes, whoever imported Ultralytics first
    events.enabled = False
    kept = ultralytics.settings
    off = {name: False for name in _INTEGRATIONS if kept.get(name)}
    ours = "yolo_pipeline" in Path(kept.file).parts
    if off and ours:
        kept.update(off)  # in the file as well, for processes that it starts
    else:
        dict.update(kept, off)  # somebody else imported Ultralytics: their file stays as it is
    return ultralytics


def find_start(attempt: Attempt, progress: Progress) -> Path:
    """What training starts from: a .pt file, or a .yaml to begin from scratch."""
    if settings.yolo.is_file_name(attempt.model):
        return _existing(attempt.root / attempt.model, "model")
    if attempt.pretrained is True:
        return _pretrained(attempt, progress)
    return Path(f"{attempt.model}.yaml")


def _existing(file: Path, key: str) -> Path:
    if not file.is_file():
        raise WeightsError(file, "there is no such file", f"Put it there, or name another one ({key}: in the attempt)")
    return file


def _pretrained(attempt: Attempt, progress: Progress) -> Path:
    """The published weights of a model: from the project's folder `weights`, else by download, said beforehand."""
    quiet_ultralytics()
    from ultralytics.utils.checks import check_yolov5u_filename
    from ultralytics.utils.downloads import attempt_download_asset

    name: str = check_yolov5u_filename(f"{attempt.model.replace('-p6', '6')}.pt", verbose=False)
    file = attempt.root / "weights" / name
    if file.is_file():
        return file
    progress.say(f"fetching the pretrained weights {name} from Ultralytics' releases to weights/{name}")
    file.parent.mkdir(exist_ok=True)
    try:
        attempt_download_asset(file)
    except Exception as error:  # requests', urllib's and Ultralytics' own
        progress.say(f"that failed: {complaint(error)}")
    if not file.is_file():
        raise unfetched(file)
    return file


def require_pretrained(attempt: Attempt) -> None:
    """
    Raises:
        WeightsError: `pretrained:` names a file that is not there, or holds no weights of Ultralytics.
    """
    if isinstance(attempt.pretrained, str):
        load_weights(_existing(attempt.root / attempt.pretrained, "pretrained"), None)


def pretrained_argument(attempt: Attempt) -> bool | str:
    if isinstance(attempt.pretrained, str):
        return str(_existing(attempt.root / attempt.pretrained, "pretrained"))
    return attempt.pretrained


def load_weights(file: Path, task: Task | None = "detect") -> Any:
    """As `load`, of what training leaves alone: an architecture has learnt nothing."""
    if file.suffix.lower() != WEIGHTS:
        remedy = f"Name a file that ends in {WEIGHTS}, or an exported network ({', '.join(RUNTIMES)})"
        raise WeightsError(file, "is no weights file", remedy)
    return load(file, task)


def load(file: Path, task: Task | None = "detect") -> Any:
    """A model from a weights or architecture file; whatever Ultralytics raises becomes a WeightsError.

    Ultralytics is given the whole path of weights: from mere names and URLs it would fetch others.

    Args:
        task: what it must be for; None: anything.
    """
    is_weights = file.suffix.lower() == WEIGHTS
    if not is_weights and file.suffix.lower() not in _ARCHITECTURES:
        raise WeightsError(
            file, "is neither weights nor an architecture", f"Name a file that ends in {WEIGHTS} or .yaml"
        )
    if is_weights and not file.is_file():
        raise WeightsError(file, "there is no such file", "Check the path")
    yolo = quiet_ultralytics().YOLO
    from ultralytics.utils.checks import check_yolov5u_filename

    if check_yolov5u_filename(file.name, verbose=False) != file.name and is_weights:
        reason = "has the name of an old YOLOv5 file, in whose place Ultralytics would fetch another"
        raise WeightsError(file, reason, "Use the file with a u in its name, such as yolov5nu.pt, or rename it")
    try:
        model = yolo(str(file.absolute() if is_weights else file))
    except Exception as error:  # unpickling hostile or broken files raises anything
        if _is_old_yolov5(file):
            reason = "holds an old YOLOv5 model, which Ultralytics cannot train"
            raise WeightsError(file, reason, "Use the file with a u in its name, such as yolov5nu.pt") from error
        if "outside the supported" in str(error) and zipfile.is_zipfile(file):
            reason = "refers to code that is no part of Ultralytics; it was not run"
            raise WeightsError(file, reason, "Use weights that Ultralytics saved") from error
        kind = "weights (damaged, or an interrupted download?)" if is_weights else "an architecture"
        raise WeightsError(file, f"cannot be read as {kind}: {_reason(error, file)}", "Fetch it again") from error
    if task is not None and model.task != task:
        other = _TRACKS.get(model.task)
        remedy = f"Name a {_TASKS[task]} model{f', or say `track: {other}`' if other else ''}"
        raise WeightsError(file, f"is a model for {_TASKS.get(model.task, model.task)}, not for {_TASKS[task]}", remedy)
    return model


def is_classifier(file: Path) -> bool:
    """Whether a file holds weights of Ultralytics that classify pictures. Nothing is unpickled, torch not needed."""
    return file.suffix.lower() == WEIGHTS and any(b"ClassificationModel" in said for said in _pickles(file))


def _reason(error: Exception, file: Path) -> str:
    """What is wrong, without the path, which we say, and without Ultralytics' advice to use its own models."""
    said = str(error).replace(f"{file.absolute()} ", "")
    for advice in ("Recommended fixes", "Use an official"):
        said = said.partition(advice)[0]
    return complaint(Exception(said)).rstrip(". ")


def _is_old_yolov5(file: Path) -> bool:
    """Whether a checkpoint's pickle names the classes of the old YOLOv5 repository. Nothing is unpickled."""
    return any(b"cmodels.yolo\n" in said for said in _pickles(file))


def _pickles(file: Path) -> list[bytes]:
    """The pickles of a checkpoint, which say what its objects are; none of what is no checkpoint."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            return [_beginning(archive, name) for name in names[:1]]
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return []  # damaged, encrypted, or no zip at all, which loading will say


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as pickled:
        return pickled.read(_MOST_PICKLED)


def has_ended(last: Path) -> bool:
    """Whether a checkpoint is that of a whole training: Ultralytics takes the optimizer out at the end."""
    quiet_ultralytics()
    from ultralytics.nn.tasks import load_checkpoint

    try:
        _, checkpoint = load_checkpoint(str(last))
    except Exception as error:
        raise WeightsError(last, f"cannot be read ({complaint(error)})", "Begin anew with --again") from error
    return checkpoint.get("optimizer") is None


def start_record(attempt: Attempt, start: Path) -> dict[str, Any]:
    """The weights that training began from, as they are recorded; none when it began from scratch."""
    file = attempt.root / attempt.pretrained if isinstance(attempt.pretrained, str) else start
    if file.suffix != ".pt" or attempt.pretrained is False:
        return {"file": None}
    return {"file": file.name, "sha256": images.sha256(file)}
