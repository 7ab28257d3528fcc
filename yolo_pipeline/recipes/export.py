"""A trained attempt -> its network in other formats, or all of it to be handed on; none that was not tried."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import FinishedError, InputError, UsageError, WeightsError, one_line
from yolo_pipeline.files import folder_beside, read_json, set_aside, write_json
from yolo_pipeline.judging.agreement import ASKED, CONF, LEAST_IOU, Agreement, tolerance
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.diagnose import results_of_run
from yolo_pipeline.recipes.export_check import MOST_PIXELS, Original
from yolo_pipeline.recipes.export_worth import LEAST_SHARE, WHOLE_NUMBERS, Worth, worth
from yolo_pipeline.recipes.models import Model, model_of_attempt
from yolo_pipeline.results import part
from yolo_pipeline.run import run_of
from yolo_pipeline.runtimes import install_command, installed, version
from yolo_pipeline.tracks import Track

BUNDLE = "bundle"
OF_ONE_SIZE = frozenset({"tensorflow"})
"""Runtimes of weights that are shown pictures of one size alone."""

CARD = "export.json"
_STRIDE = 32


@dataclass(frozen=True, slots=True)
class Exported:
    """One export.

    Attributes:
        path: the file, or for OpenVINO the folder.
        kept: whether it was there already.
        card: what export.json beside it says.
    """

    target: str
    path: Path
    kept: bool
    card: dict[str, Any]


def export(
    root: Path,
    number: int,
    targets: Sequence[str],
    *,
    out: Path | None = None,
    imgsz: int | None = None,
    again: bool = False,
    progress: Progress = silent,
    track: Track | None = None,
) -> list[Exported]:
    """Writes a finished attempt in other formats, each into a folder of `out` named after it.

    Every file is opened again and asked for 8 pictures of the attempt; where it does not find what the weights find,
    nothing of it is left.

    Args:
        out: default: runs/attempt-N/export.
        imgsz: longer side of what the network is shown; default: as it was trained.
        again: write anew what is there, keeping it as TARGET.1.
        track: for tests; default: the attempt's.

    Raises:
        UsageError: no such target, an imgsz that no network takes.
        FinishedError: another export is there.
        InputError: it is a classifier, there is nothing to export, a package is missing, or the export does not agree.
    """
    model = model_of_attempt(root, number, track)
    _require_boxes(model)
    _require_targets(targets, model.track.targets, imgsz)
    run = run_of(root, number)
    trained = trained_imgsz(run.record, model.asking)
    if imgsz not in (None, trained) and model.track.runtime in OF_ONE_SIZE:
        raise UsageError(f"--imgsz {imgsz}: attempt {number} is shown pictures at {trained} alone; leave --imgsz out")
    asking = replace(model.asking, imgsz=imgsz or trained, conf=ASKED, device="cpu")
    original = Original(root, number, model, asking)
    done = []
    for target in targets:
        folder = (out or run.exports) / target
        if (kept := _kept(folder, target, original, again)) is not None:
            progress.say(f"{target}: {kept.path} is there already: {said_of(kept.card)}")
            done.append(kept)
            continue
        progress.say(f"{target}: writing it")
        done.append(_export(folder, target, original, progress))
        progress.say(f"{target}: {said_of(done[-1].card)}")
    return done


def _require_boxes(model: Model) -> None:
    if model.classifies:
        remedy = f"Its weights can be handed on as they are: {model.weights}"
        raise InputError(model.title, "classifies pictures, and only detectors can be exported", remedy)


def _require_targets(targets: Sequence[str], known: Mapping[str, Sequence[str]], imgsz: int | None) -> None:
    if not targets:
        raise UsageError(f"--to: name at least one of {', '.join(known)}")
    if imgsz is not None and (imgsz < _STRIDE or imgsz % _STRIDE):
        raise UsageError(f"--imgsz {imgsz}: write a multiple of {_STRIDE}, such as 640")
    for target in targets:
        if target not in known:
            raise UsageError(f"--to {one_line(target)}: there are {', '.join(known)}")
    for target in targets:
        if missing := [package for package in known[target] if not installed(package)]:
            remedy = f"Type: {install_command(missing[0])}"
            raise InputError(f"--to {target}", f"needs {' and '.join(missing)}: not installed", remedy)


def trained_imgsz(record: dict[str, Any], asking: Asking) -> int:
    """What the network was shown in training, as the framework rounded it."""
    used = part(record, "training", "used").get("imgsz")
    return used if isinstance(used, int) else asking.imgsz or 640


def _kept(folder: Path, target: str, original: Original, again: bool) -> Exported | None:
    """An export that is there already, when it is the one that would be written; None: write it.

    Raises:
        FinishedError: it is another one.
    """
    if again or not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    remedy = "Name another folder with --out, or add --again, which keeps what is there under another name"
    try:
        card = read_json(folder / CARD)
        path = folder / Path(card["file"]).name
        same = {key: card[key] for key in ("target", "weights", "imgsz", "conf")} == _wanted(target, original)
        whole = card["sha256"] == _digests(folder) and bool(said_of(card))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FinishedError(folder, f"holds something else ({one_line(str(error))})", remedy) from error
    if not same or not whole:
        reason = "was exported from other weights or at another imgsz" if not same else "was changed since"
        raise FinishedError(folder, reason, remedy)
    return Exported(target, path, True, card)


def _wanted(target: str, original: Original) -> dict[str, Any]:
    model = original.model
    return {"target": target, "weights": model.sha256, "imgsz": original.asking.imgsz, "conf": model.conf}


def _digests(folder: Path) -> dict[str, str]:
    """Path below `folder` -> sha256, of all but export.json."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != CARD)
    return {file.relative_to(folder).as_posix(): images.sha256(file) for file in files}


def _export(folder: Path, target: str, original: Original, progress: Progress) -> Exported:
    """Writes and tries it beside its place, where it comes when it agrees."""
    try:
        with folder_beside(folder) as building:
            write = _write_bundle if target == BUNDLE else _write_network
            path, checked = write(building, target, original, progress)
            card = {**_wanted(target, original), **_card(original, path, checked, target), "sha256": _digests(building)}
            write_json(building / CARD, card)
            set_aside(folder)
    finally:
        with suppress(OSError):  # there is something in it
            folder.parent.rmdir()
    return Exported(target, folder / path.name, False, card)


def _write_network(
    building: Path, target: str, original: Original, progress: Progress
) -> tuple[Path, Agreement | Worth]:
    look = original.look(target)  # first, as it costs least
    path = _written(building, target, original, progress)
    predictor = original.model.track.open(path, original.asking)
    names = tuple(map(one_line, original.predictor.names))
    if predictor.names != names:
        raise InputError(path.name, f"its classes are {predictor.names}, the weights' {names}", "Export it again")
    if target.endswith(WHOLE_NUMBERS):
        return path, worth(original, path, predictor, look)
    return path, original.agreement(path, predictor(look.pixels), look)


def _written(building: Path, target: str, original: Original, progress: Progress) -> Path:
    """What the track writes, named after the attempt.

    Raises:
        WeightsError: it cannot; of the attempt's weights, not of the copy that bears the name.
    """
    model = original.model
    weights = building / f"attempt-{original.number}{model.weights.suffix}"
    shutil.copyfile(model.weights, weights)
    try:
        return model.track.export(weights, target, building, original.asking, model.training, progress)
    except WeightsError as error:
        raise WeightsError(model.weights, error.reason, error.remedy) from error
    finally:
        weights.unlink()


def _write_bundle(building: Path, target: str, original: Original, progress: Progress) -> tuple[Path, Agreement]:
    from yolo_pipeline.recipes.bundle import kind_of, run_example, write_bundle

    run, model = run_of(original.root, original.number), original.model
    look, results = original.as_they_are, results_of_run(original.root, original.number, run)
    path = building / f"attempt-{original.number}.tar.gz"
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=building) as there:
        model.track.export(model.weights, target, Path(there), original.asking, model.training, progress)
        write_bundle(results, model.weights, Path(there), replace(original.asking, conf=model.conf), path)
    found = run_example(kind_of(results), path, original.pictures, look.conf)
    return path, original.agreement(path, found, look)


def _card(original: Original, path: Path, checked: Agreement | Worth, target: str) -> dict[str, Any]:
    """What export.json says of the check."""
    return {
        "file": path.name,
        "attempt": original.number,
        "names": list(original.predictor.names),
        "iou": original.asking.iou,
        **(_worth_card(checked) if isinstance(checked, Worth) else _agreement_card(checked, original)),
        "versions": original.model.track.versions()
        | {module: version(module) for module in original.model.track.targets[target]},
    }


def _agreement_card(agreed: Agreement, original: Original) -> dict[str, Any]:
    held_to: dict[str, Any] = {"iou_wanted": LEAST_IOU, "score_tolerance": tolerance(agreed.conf)}
    if (pixels := MOST_PIXELS.get(original.model.track.runtime)) is not None:
        held_to["corner_tolerance"] = pixels
    return {"agreement": {**asdict(agreed), **held_to, "on": [file.name for file in original.pictures]}}


def _worth_card(judged: Worth) -> dict[str, Any]:
    return {"worth": {**asdict(judged), "share_wanted": LEAST_SHARE}}


def said_of(card: dict[str, Any]) -> str:
    """The check in a line."""
    if "worth" in card:
        judged = Worth(**{key: card["worth"][key] for key in ("pictures", "held_to", "mAP50", "weights_mAP50")})
        return f"in whole numbers: {judged}"
    agreed = card["agreement"]
    lowered = f" from confidence {agreed['conf']:g} on" if agreed["conf"] < CONF else ""
    corners = f"corners within {agreed['corner_difference']:.2g} pixels, " if "corner_difference" in agreed else ""
    return (
        f"{agreed['compared']} boxes on {agreed['pictures']} pictures{lowered} are those of the weights "
        f"(IoU {agreed['least_iou']:.3f} or more, {corners}scores within {agreed['score_difference']:.1g})"
    )


def as_json(number: int, exported: Sequence[Exported]) -> dict[str, Any]:
    return {
        "attempt": number,
        "exports": [{**one.card, "path": str(one.path), "kept": one.kept} for one in exported],
    }
