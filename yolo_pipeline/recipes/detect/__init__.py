"""Pictures from anywhere, one look of a model at each, and everything that people make of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.detecting.crops import remove_crops, save_crops
from yolo_pipeline.detecting.drawing import Colour, colours, drawn, with_classes
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.journal import Journal, begun_with
from yolo_pipeline.detecting.labels import require_no_labels
from yolo_pipeline.detecting.mining import require_mined
from yolo_pipeline.detecting.naming import class_folders
from yolo_pipeline.detecting.pictures import Draw, remove_views, save_views
from yolo_pipeline.detecting.stream import stream
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import explain_os_error
from yolo_pipeline.formats.source import composed
from yolo_pipeline.gathering import gather
from yolo_pipeline.nouns import Skip
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.detect.order import Detected, Order, require_for_pictures
from yolo_pipeline.recipes.detect.results import Look
from yolo_pipeline.recipes.detect.sources import candidates_of, claimed, default_folder, places
from yolo_pipeline.recipes.detect.words import brief
from yolo_pipeline.recipes.models import Model
from yolo_pipeline.recipes.trust import choose
from yolo_pipeline.runtimes.tflite_ssd import require_this_iou
from yolo_pipeline.views import Candidate, Seen, Views

__all__ = ["Detected", "Order", "detect"]

_LIKELIEST = 5  # classes of a picture, where a user says nothing else
_COMPARED_ON = 64  # pictures at most, half of which may be unreadable


def detect(root: Path, model: Model, order: Order, progress: Progress = silent) -> Detected:
    """Shows every picture of the sources to a model once, and leaves what it saw in a folder.

    Raises:
        UsageError: something is asked of a classifier that only boxes have.
        InputError: a source is nothing; the folder holds something else, or is being filled; a class that the model
            does not know.
        DataError: the disk is full.
    """
    if model.classifies:
        require_for_pictures(order, model.title)
    gathered = gather(order.sources, progress)
    folder = claimed(order.out or default_folder(root, model.title, order.sources), order.again)
    for kind in order.labels:
        require_no_labels(folder, kind)
    if order.mine is not None:
        require_mined(order.mine)
    candidates, skipped, notes = candidates_of(gathered, folder, progress, allow_local=order.allow_local)
    if not candidates and not skipped:
        raise InputError(brief(order.sources), "holds only what an earlier detect made", "Name the pictures themselves")
    asking = _asking(model, order)
    runtime = _runtime(model, order, asking, folder, candidates, progress)
    progress.say(f"runtime {runtime}")
    predictor = model.track.open(model.weights, asking, runtime)
    if order.iou is not None and predictor.own_iou is not None:
        require_this_iou(model.weights, predictor.own_iou, order.iou)
    views = _views(model, order, predictor.names)
    settings = _settings(model, order, predictor, asking, runtime, views)
    draw = with_classes if model.classifies else drawn
    products = _Products(views, colours(predictor.names), class_folders(predictor.names), folder, order, draw)
    with _explained(folder), Journal(folder.journal_file, {**settings, "sources": places(order.sources)}) as journal:
        unseen = journal.unseen(candidates)
        if len(unseen) < len(candidates):
            progress.say(f"{len(candidates) - len(unseen)} pictures were seen before")
        outdated = 0
        for seen in journal.forget(unseen):
            products.remove(seen)
            outdated += 1
        if outdated:
            said = "pictures of an earlier run are gone or have changed: what it made of them is removed"
            notes.append(f"{outdated} {said}")
        groups = _groups(candidates, unseen, predictor.batch)
        with closing(stream(groups, predictor, products.keep)) as looks:
            skipped += _look(looks, len(unseen), journal, progress)
        look = Look(model, order, views, settings, folder, tuple(skipped), lambda: journal.read(candidates))
        progress.say("writing tables, contact sheet and page")
        return look.written(notes)


@contextmanager
def _explained(folder: OutFolder) -> Iterator[None]:
    """A full disk and the like, said of the folder for results."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(folder.root, error) or error from error


def _groups(candidates: Sequence[Candidate], unseen: Collection[str], size: int) -> Iterator[list[Candidate]]:
    """The unseen in groups that are the same wherever an earlier command was interrupted."""
    for start in range(0, len(candidates), size):
        yield [one for one in candidates[start : start + size] if one.name in unseen]


def _look(looks: Iterable[list[Seen | Skip]], total: int, journal: Journal, progress: Progress) -> list[Skip]:
    skipped: list[Skip] = []
    began, done = time.perf_counter(), 0
    for group in looks:
        journal.add(one for one in group if isinstance(one, Seen))
        skipped += [one for one in group if isinstance(one, Skip)]
        done += len(group)
        rate = done / (time.perf_counter() - began)
        progress.at("detecting", done, total, f"{rate:.1f} pictures a second  {len(skipped)} skipped")
    return skipped


@dataclass(frozen=True, slots=True)
class _Products:
    """What is made of a picture as long as its pixels are there."""

    views: Views
    palette: Mapping[str, Colour]
    folders: Mapping[str, str]  # class -> where its crops lie
    folder: OutFolder
    order: Order
    draw: Draw

    def keep(self, seen: Seen, pixels: Pixels) -> None:
        if self.order.pictures:
            save_views(pixels, seen, self.views, self.palette, self.folder, self.draw)
        if self.order.crops:
            save_crops(pixels, seen, self.views, self.folders, self.folder)

    def remove(self, seen: Seen) -> None:
        remove_views(seen, self.views, self.folder)
        remove_crops(seen, self.views, self.folders, self.folder)


def _thresholds(model: Model, order: Order) -> tuple[float, ...]:
    """The model's own confidence to 4 decimals, as scores are."""
    return order.thresholds or (max(round(model.conf, 4), 0.0001),)


def _asking(model: Model, order: Order) -> Asking:
    own = model.asking
    iou = own.iou if order.iou is None else order.iou
    return replace(own, imgsz=order.imgsz or own.imgsz, iou=iou, device=order.device, conf=_thresholds(model, order)[0])


def _runtime(
    model: Model, order: Order, asking: Asking, folder: OutFolder, candidates: Sequence[Candidate], progress: Progress
) -> str:
    """The runtime: that of a run to go on with, else the one asked for, or the fastest that agrees with torch.

    Where the model's own pictures are not known, those to be looked at serve to compare runtimes.
    """
    begun = begun_with(folder.journal_file).get("runtime")
    is_int8 = isinstance(begun, str) and begun.endswith("-int8")
    asked, int8 = "openvino" if order.int8 and order.runtime == "auto" else order.runtime, order.int8
    if order.runtime == "auto" and isinstance(begun, str) and is_int8 >= order.int8:
        asked, int8 = begun.removesuffix("-int8"), is_int8
    samples = model.training
    if order.calibrate is not None:
        samples = tuple(one.file for one in gather([str(order.calibrate)], progress).candidates)
    compared_on = model.checked_on or tuple(one.file for one in candidates[:_COMPARED_ON])
    return choose(
        model.track, model.weights, asked, int8, asking, samples, compared_on, model.truth, len(candidates), progress
    )


def _views(model: Model, order: Order, names: Sequence[str]) -> Views:
    classes = None
    if order.classes is not None:
        known = {composed(name): name for name in names}
        if unknown := [name for name in order.classes if composed(name) not in known]:
            some = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
            raise InputError(model.title, f"knows no class {unknown[0]}", f"Its classes: {some}")
        classes = frozenset(known[composed(name)] for name in order.classes)
    most = _LIKELIEST if order.most is None and model.classifies else order.most
    return Views(_thresholds(model, order), classes, most)


def _settings(
    model: Model, order: Order, predictor: Predictor, asking: Asking, runtime: str, views: Views
) -> dict[str, Any]:
    """All that decides what is found and shown: a folder goes on only with the same."""
    return {
        "model": model.title,
        "weights": model.sha256,
        "names": list(predictor.names),
        "runtime": runtime,
        "imgsz": predictor.imgsz,
        **({} if model.classifies else {"iou": asking.iou if predictor.own_iou is None else predictor.own_iou}),
        "conf": list(views.thresholds),
        "classes": sorted(views.classes) if views.classes is not None else None,
        "max_boxes": views.most,
        "pictures": order.pictures,
        "crops": order.crops,
    }
