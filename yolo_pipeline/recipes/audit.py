"""What is wrong with the data of a source or an attempt, before it is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline import attempt as attempts
from yolo_pipeline import formats, images, settings
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.auditing import Evidence, Rule, findings_of
from yolo_pipeline.auditing.pictures import Picture, decode_small, measure_all
from yolo_pipeline.building import pixels
from yolo_pipeline.building.pictures import Hashes
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import DataError, UsageError, one_line
from yolo_pipeline.files import explain_os_error, write_text
from yolo_pipeline.formats import FORMATS, ReadOptions
from yolo_pipeline.nouns import SPLITS, Dataset, Finding, ImageRecord, Place, ReadReport
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.build import Build, faults_named, gather, make_builtin

_PAGE_SIDE = 1024  # longer side, in pixels, of the pictures that a page's thumbnails and cut-outs are made of
_ULTRALYTICS_IMGSZ = 640
_COCO_SMALL, _COCO_LARGE = 32.0**2, 96.0**2  # areas in pixels, as COCO divides objects (pycocotools 2.0.11)


@dataclass(frozen=True)
class Audit:
    """A data set looked at.

    Attributes:
        title: the source or attempt that it is of.
        findings: the worst first.
        pictures: what was measured of each picture file that could be read.
        classified: whether it has a class for each picture, in place of boxes.
    """

    title: str
    dataset: Dataset
    report: ReadReport
    findings: tuple[Finding, ...]
    pictures: Mapping[Path, Picture]
    imgsz: int
    classified: bool = False


def audit_source(
    source: Path, *, format: str = "auto", options: ReadOptions = ReadOptions(), imgsz: int = 640
) -> Audit:
    """Audits a folder, a zip or an annotation file.

    Args:
        imgsz: the size that it will be trained at: what counts as tiny depends on it.

    Raises:
        UsageError: no such format.
        InputError: what reading finds.
    """
    if format != "auto" and format not in FORMATS:
        raise UsageError(f"format {format!r} is not known. Known are {', '.join(FORMATS)}")
    dataset, report = formats.read(source, format, options)
    classified = formats.is_of_pictures(dataset, source, format)
    return audit_dataset(
        dataset, report, {}, imgsz=imgsz, classified=classified, progress=options.progress, title=str(source)
    )


def audit_attempt(root: Path, number: int, progress: Progress = silent) -> Audit:
    """Audits the data of attempt `number` as it would be trained on, without building it.

    Raises:
        InputError: the attempt or its data are not what they should be.
    """
    attempt = attempts.load(root, number)
    make_builtin(attempt, progress)
    hashes = Hashes()
    with faults_named(attempt):
        dataset, report = gather(attempt, hashes, progress)
    return _audit_of(attempt, dataset, report, hashes.known, progress)


def audit_build(attempt: Attempt, data: Build, progress: Progress = silent) -> Audit:
    """Audits the photos that the data set of an attempt was built from."""
    return _audit_of(attempt, data.photos, data.report, data.hashes, progress)


def _audit_of(
    attempt: Attempt, dataset: Dataset, report: ReadReport, hashes: Mapping[Path, str], progress: Progress
) -> Audit:
    size = settings.trained_size(attempt.track, attempt.model, attempt.train) or _ULTRALYTICS_IMGSZ
    title, classified = f"attempt {attempt.number}", attempt.track == "classify"
    return audit_dataset(dataset, report, hashes, imgsz=size, classified=classified, progress=progress, title=title)


def audit_dataset(
    dataset: Dataset,
    report: ReadReport,
    hashes: Mapping[Path, str],
    *,
    imgsz: int = 640,
    classified: bool = False,
    rules: tuple[Rule, ...] | None = None,
    progress: Progress = silent,
    title: str = "the data set",
) -> Audit:
    """Measures every picture once, then asks each rule.

    Args:
        hashes: sha256 of pictures as far as known; the others are computed.
        classified: whether it has a class for each picture, in place of boxes.
        rules: left out, those for boxes or for pictures.
    """
    known = Hashes(dict(hashes)).of(dataset, progress)
    measured = measure_all([image.file for image in dataset.images], progress)
    evidence = Evidence(dataset, report, known, measured, imgsz, classified)
    return Audit(title, dataset, report, findings_of(evidence, rules), measured.pictures, imgsz, classified)


def as_json(audit: Audit) -> dict[str, Any]:
    """What `audit --json` prints."""
    counts = Counter((truth.label, image.split or "train") for image in audit.dataset.images for truth in image.truths)
    there = [split for split in SPLITS if any((image.split or "train") == split for image in audit.dataset.images)]
    return {
        "images": len(audit.dataset.images),
        "boxes": audit.dataset.boxes,
        "backgrounds": sum(image.is_background for image in audit.dataset.images),
        "imgsz": audit.imgsz,
        "classes": {name: {split: counts[name, split] for split in there} for name in audit.dataset.names},
        "splits": {split: sum((i.split or "train") == split for i in audit.dataset.images) for split in there},
        "pictures": _pictures(audit),
        "objects_a_picture": _histogram(audit.dataset),
        "sizes": _sizes(audit.dataset),
        "findings": [asdict(finding) for finding in audit.findings],
    }


def lines(audit: Audit) -> list[str]:
    """The audit for the terminal: totals, then every finding with what to do."""
    data = audit.dataset
    boxes = "" if audit.classified else f" {data.boxes} boxes,"
    head = f"{one_line(audit.title)}: {len(data.images)} pictures,{boxes} {len(data.names)} classes"
    found = [f"{f.severity}: {f.kind}: {f.text}. {f.remedy}" for f in audit.findings]
    return [head, *(found or ["nothing was found that would spoil training or its scores"])]


def worst(audit: Audit, number: int = 3) -> list[str]:
    """The gravest faults and warnings, one line each, for the terminal; none on a clean set."""
    grave = [finding for finding in audit.findings if finding.severity != "note"]
    said = [f"{finding.severity}: {finding.text}" for finding in grave[:number]]
    more = len(grave) - len(said)
    return [*said, f"… and {more} more findings"] if more > 0 else said


def write_page(audit: Audit, file: Path) -> None:
    """One HTML file with everything in it, whole or not at all.

    Raises:
        DataError: it cannot be written there.
    """
    from yolo_pipeline.reporting.audit_page import audit_page

    page = audit_page(audit.title, audit.dataset, audit.findings, audit.imgsz, load_small, classified=audit.classified)
    _written(file, page)


def load_small(image: ImageRecord) -> npt.NDArray[np.uint8] | None:
    """Pixels of an image for a page: RGB, upright, edited, not large; None where they cannot be read."""
    try:
        if not image.edits:
            return decode_small(image.file, _PAGE_SIDE)
        cutout = isinstance(image.edits[0], Place)
        decoded = pixels.decode_cutout(image.file) if cutout else decode(image.file)
        return np.ascontiguousarray(pixels.render(decoded, image.edits)[..., ::-1])
    except images.UnreadableImage:
        return None


def _pictures(audit: Audit) -> dict[str, Any]:
    """Sizes and shapes of pictures."""
    if not audit.dataset.images:
        return {}
    size = np.array([(image.width, image.height) for image in audit.dataset.images])
    median = [float(value) for value in np.median(size, axis=0)]
    area = size.prod(axis=1)
    shapes = np.sign(size[:, 0] - size[:, 1])
    return {
        "median": median,
        "smallest": size[area.argmin()].tolist(),
        "largest": size[area.argmax()].tolist(),
        "wide": int((shapes > 0).sum()),
        "square": int((shapes == 0).sum()),
        "tall": int((shapes < 0).sum()),
        "grey": sum(picture.grey for picture in audit.pictures.values()),
        "unreadable": len({image.file for image in audit.dataset.images} - audit.pictures.keys()),
    }


def _histogram(dataset: Dataset) -> dict[str, int]:
    counts = Counter(len(image.truths) for image in dataset.images)
    return {str(number): counts[number] for number in sorted(counts)}


def _sizes(dataset: Dataset) -> dict[str, int]:
    """Boxes by COCO's sizes, in pixels of the picture as it is."""
    areas = np.array(list(_areas(dataset)))
    small, large = int((areas < _COCO_SMALL).sum()), int((areas >= _COCO_LARGE).sum())
    return {"small": small, "medium": len(areas) - small - large, "large": large}


def _areas(dataset: Dataset) -> Iterator[float]:
    for image in dataset.images:
        for truth in image.truths:
            yield truth.box.width * truth.box.height


def _written(file: Path, text: str) -> None:
    try:
        write_text(file, text)
    except OSError as error:
        with suppress(OSError):
            file.with_name(file.name + ".part").unlink()
        raise _unwritable(file, error) from error


def _unwritable(where: Path, error: OSError) -> DataError:
    reason = f"cannot be written ({error.strerror or error})"
    return explain_os_error(where, error) or DataError(where, reason, "Name another place")
