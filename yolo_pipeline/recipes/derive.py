"""What an attempt makes out of its photos: cut-outs, one size for all, changed copies for training."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.augmenting import Changes, augment
from yolo_pipeline.building.cutouts import add_cutouts, add_ready_cutouts
from yolo_pipeline.building.orientation import orientation_warnings, turnings
from yolo_pipeline.building.pictures import Hashes, read_pictures
from yolo_pipeline.building.pixels import is_cutout
from yolo_pipeline.building.resizing import resize
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.classification import is_whole
from yolo_pipeline.data_settings import BoxAugmentSettings, CutoutSettings
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.nouns import Crop, Dataset, ImageRecord, ReadReport
from yolo_pipeline.progress import Progress
from yolo_pipeline.reporting.preview import Tile, draw_preview, mark_of

_PREVIEW_ROWS, _PREVIEW_COLUMNS = 6, 4


def derive(
    attempt: Attempt, dataset: Dataset, seed: int, hashes: Hashes, progress: Progress
) -> tuple[Dataset, ReadReport]:
    """The data set with what `data.cutouts`, `data.resize` and `data.augment` ask for, and what that cut off."""
    report = ReadReport(notes=orientation_warnings(dataset.names, turnings(attempt.settings())))
    data, classified = attempt.data, attempt.track == "classify"
    if data.cutouts is not None:
        dataset, passed_over = _add_cutouts(attempt, dataset, data.cutouts, seed, hashes, progress)
        hashes.of(dataset, progress)
        report += passed_over
    if data.resize is not None:
        dataset, cropped = resize(dataset, *data.resize.size, data.resize.mode, classified=classified)
        report += cropped
    if data.augment is not None:
        whole = replace(_changes(data.augment), turns=data.augment.rot90)
        in_boxes = _changes(data.augment.box) if data.augment.box else Changes()
        outputs = data.augment.outputs_per_example
        dataset, cropped = augment(dataset, outputs, whole, in_boxes, seed, hashes.known, classified=classified)
        report += cropped
    return dataset, report


def _changes(asked: BoxAugmentSettings) -> Changes:
    return Changes(asked.flip, (), asked.rotation_deg, asked.brightness, asked.blur_px)


def _add_cutouts(
    attempt: Attempt, dataset: Dataset, settings: CutoutSettings, seed: int, hashes: Hashes, progress: Progress
) -> tuple[Dataset, ReadReport]:
    if settings.source is None:
        return add_cutouts(dataset, settings.share, seed, hashes.known, progress)
    ready = _read_cutouts(attempt.root / settings.source, progress)
    others = sorted(ready.keys() - set(dataset.names)) if attempt.data.classes is not None else []
    ready = {label: records for label, records in ready.items() if label not in others}
    hashes.of(Dataset((), tuple(record for records in ready.values() for record in records)), progress)
    note = f"cut-outs of classes that were not chosen are passed over: {', '.join(others)}"
    dataset = add_ready_cutouts(dataset, ready, settings.share, seed, hashes.known)
    return dataset, ReadReport(notes=(note,) if others else ())


def _read_cutouts(folder: Path, progress: Progress) -> dict[str, list[ImageRecord]]:
    """Class -> the pictures of the folder that is named after it.

    Raises:
        DataError: a picture lies in no class folder.
        AnnotationError: no such folder, or pictures that cannot be read.
    """
    ready: dict[str, list[ImageRecord]] = defaultdict(list)
    for record in read_pictures(folder, "reading cut-outs", progress):
        label, slash, _ = record.name.partition("/")
        if not slash:
            raise DataError(record.file, "lies in no folder of a class", "Put it into one that bears its class's name")
        ready[clean_label(label)].append(record)
    return ready


def preview_file(folder: Path) -> Path:
    """Where the preview of a built data set lies: beside it, as a picture in it would be taken for one of the set."""
    return folder.with_name(f"{folder.name}-preview.png")


def write_preview(built: BuiltDataset) -> None:
    """Draws the preview where training pictures were edited: a photo and what was made of it in a row.

    One of an earlier data set is replaced or taken away; a file of somebody else's in its place stays.
    """
    training = built.dataset.of("train")
    sheet = preview_file(built.folder)
    mark = mark_of(sheet)
    if mark == built.fingerprint or (mark is None and sheet.exists()):
        return
    sheet.unlink(missing_ok=True)
    if not any(image.edits for image in training):
        return
    rows: dict[tuple[Path, Crop | None], list[ImageRecord]] = defaultdict(list)
    for image in training:
        rows[image.file, _own_crop(image)].append(image)
    photos = [row for row in rows.values() if not is_cutout(row[0])]
    cutouts = [row for row in rows.values() if is_cutout(row[0])]
    some_cutouts = images.evenly(cutouts, _PREVIEW_ROWS // 3)
    some = images.evenly(photos, _PREVIEW_ROWS - len(some_cutouts)) + some_cutouts
    draw_preview([[_tile(built, image) for image in row[:_PREVIEW_COLUMNS]] for row in some], sheet, built.fingerprint)


def _own_crop(image: ImageRecord) -> Crop | None:
    """What was cropped out of a photo to be a picture of its own."""
    first = image.edits[0] if image.edits else None
    return first if isinstance(first, Crop) and is_whole(image) else None


def _tile(built: BuiltDataset, image: ImageRecord) -> Tile:
    file = built.picture(image.name)
    try:
        return Tile(image.name, images.decode_upright(file), image.truths)
    except images.UnreadableImage as error:
        raise AnnotationError(file, str(error), f"Remove {built.folder} and build it again") from error
