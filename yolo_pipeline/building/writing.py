"""A data set on disk, with a fingerprint: in YOLO layout or in folders by class; built beside, renamed when whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import images
from yolo_pipeline.building.pixels import is_cutout, write_edited
from yolo_pipeline.building.splitting import splits_by_content
from yolo_pipeline.cores import all_cores
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.files import folder_beside, read_json, write_json
from yolo_pipeline.formats import folders, yolo
from yolo_pipeline.formats.files import place_picture
from yolo_pipeline.nouns import SPLITS, Dataset, Edit, ImageRecord, Split
from yolo_pipeline.progress import Progress, silent

MANIFEST = "build.json"
_LAYOUT_VERSION = 1
_EDITS_VERSION = 2  # of what edits do to pixels, and of how they are told in the fingerprint

Task = Literal["detect", "classify"]

LEAST_SIDE = 10
"""Pixels. Ultralytics leaves smaller pictures out with a warning (8.4.190 data/utils.py check_image)."""


@dataclass(frozen=True, slots=True)
class BuiltDataset:
    """A data set as it lies on disk.

    Attributes:
        folder: holds data.yaml, images/SPLIT, labels/SPLIT and build.json; for classification SPLIT/CLASS, classes.json
            and build.json.
        fingerprint: of the pictures' bytes and edits, splits, boxes, class names and layout.
        files: name of each image record -> its picture below `folder`.
        reused: whether it was there already, unchanged.
    """

    folder: Path
    dataset: Dataset
    fingerprint: str
    files: dict[str, str]
    reused: bool

    @property
    def config_file(self) -> Path:
        return self.folder / "data.yaml"

    def picture(self, name: str) -> Path:
        return self.folder / self.files[name]


def fingerprint(dataset: Dataset, hashes: Mapping[Path, str], task: Task = "detect") -> str:
    """sha256 of everything that training sees. File names count, folders on this disk do not."""
    layout = [_LAYOUT_VERSION, dataset.names, *([task] if task != "detect" else [])]
    digest = hashlib.sha256(json.dumps(layout).encode())
    for image in dataset.images:
        boxes = [[t.label, t.box.x0, t.box.y0, t.box.x1, t.box.y1] for t in image.truths]
        row = [image.name, hashes[image.file], image.split, image.width, image.height, image.suffix, boxes]
        if image.edits:
            row += [_EDITS_VERSION, [_told(edit) for edit in image.edits]]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _told(edit: Edit) -> list[Any]:
    """Kind and values of an edit, those that it holds in turn included."""
    values = [getattr(edit, field.name) for field in fields(edit)]
    return [type(edit).__name__, *([_told(e) for e in v] if isinstance(v, tuple) else v for v in values)]


def write_built(
    dataset: Dataset,
    folder: Path,
    hashes: Mapping[Path, str],
    progress: Progress = silent,
    *,
    task: Task = "detect",
    least_side: int = LEAST_SIDE,
) -> BuiltDataset:
    """Writes `folder`, or takes what is there when its fingerprint is the same and its pictures are whole.

    A folder of ours that differs is replaced; any other one is left alone.

    Args:
        task: `classify` for pictures of one class each, which are laid into folders by class.
        least_side: pixels below which a picture is refused; 1 where the training takes any, as that of torchvision's
            classifiers, which stretches pictures to its own size: 8x8 pixels are a digit.

    Raises:
        DataError: a folder that was not built here is in the way, or the disk is full.
        AnnotationError: pictures that cannot be decoded.
    """
    mark = fingerprint(dataset, hashes, task)
    if (reused := _reuse(folder, dataset, mark, task)) is not None:
        return reused
    write = yolo.write if task == "detect" else folders.write
    with folder_beside(folder, replace=True) as building:
        files = write(dataset, building, root=folder, place=_link_unedited, progress=progress)
        _render_and_check(dataset, {name: building / file for name, file in files.items()}, least_side, progress)
        manifest = {
            "fingerprint": mark,
            "counts": counts(dataset),
            "splits": splits_by_content(dataset.images, hashes),
            "files": files,
            "bytes": _sizes(building, files),
        }
        write_json(building / MANIFEST, manifest)
    return BuiltDataset(folder, dataset, mark, files, reused=False)


def _link_unedited(image: ImageRecord, target: str) -> None:
    if not image.edits:
        place_picture(str(image.file), target, link=True)


def _render_and_check(dataset: Dataset, targets: Mapping[str, Path], least_side: int, progress: Progress) -> None:
    """Decodes every picture once: edited ones are written, and those that training would pass over are refused.

    A header can be whole where the pixels are not. Each picture is given up before its thread takes the next one, so
    that no more are in memory than there are cores.

    Raises:
        AnnotationError: naming all pictures that cannot be decoded or are too small to train on.
    """
    by_file: dict[tuple[Path, bool], list[ImageRecord]] = defaultdict(list)
    for image in dataset.images:
        by_file[image.file, is_cutout(image)].append(image)
    jobs = list(by_file.values())
    what = "making pictures" if any(image.edits for image in dataset.images) else "decoding pictures"
    with all_cores() as pool:
        faults = pool.map(lambda records: _fault(records, targets, least_side), jobs)
        found = [fault for _, fault in zip(progress.items(jobs, what), faults, strict=True)]
    bad = [fault for fault in found if fault]
    if bad:
        raise AnnotationError("pictures", f"{len(bad)} cannot be trained on: {'; '.join(bad)}", "Mend or remove them")


def _fault(records: Sequence[ImageRecord], targets: Mapping[str, Path], least_side: int) -> str:
    """What is wrong with the file of some records, whose edited pictures are written where nothing is."""
    file = records[0].file
    for image in records:
        if min(image.width, image.height) < least_side:
            return f"{file}: {image.width}x{image.height} pixels are too few"
    outputs = [(image, targets[image.name]) for image in records if image.edits]
    try:
        if outputs:
            write_edited(outputs)
        else:
            images.decode_upright(file)  # as the judge will
    except images.UnreadableImage as error:
        return f"{file}: {error}"
    return ""


def counts(dataset: Dataset) -> dict[str, Any]:
    """Images, boxes, backgrounds and boxes by class, for each split that has images."""
    found: dict[str, Any] = {}
    for split in SPLITS:
        if images := dataset.of(split):
            boxes = Counter(truth.label for image in images for truth in image.truths)
            found[split] = {
                "images": len(images),
                "boxes": boxes.total(),
                "backgrounds": sum(image.is_background for image in images),
                "classes": {name: boxes[name] for name in dataset.names},
            }
    return found


def built_splits(folder: Path) -> dict[str, Split] | None:
    """sha256 -> split of the data set built in a folder; None where none was."""
    manifest = _manifest(folder)
    return manifest["splits"] if manifest else None


def _manifest(folder: Path) -> dict[str, Any] | None:
    """The build.json that `write_built` wrote; None where there is none, or one of somebody else's."""
    try:
        manifest = read_json(folder / MANIFEST)
    except (OSError, ValueError):
        return None
    ours = isinstance(manifest, dict) and isinstance(manifest.get("fingerprint"), str)
    ours = ours and isinstance(manifest.get("files"), dict) and isinstance(manifest.get("splits"), dict)
    return manifest if ours else None


def _reuse(folder: Path, dataset: Dataset, mark: str, task: Task) -> BuiltDataset | None:
    """What is there, if it is the same. Raises DataError where it is not ours to replace."""
    if not folder.exists():
        return None
    manifest = _manifest(folder)
    if manifest is None:
        if not folder.is_dir() or any(folder.iterdir()):
            remedy = "Move it away, or name another place (path: in data.yaml)"
            raise DataError(folder, "is in the way: it was not built by yolo_pipeline", remedy)
        return None
    files = manifest["files"]
    if manifest["fingerprint"] != mark or not _is_whole(folder, files, manifest.get("bytes"), task):
        return None
    if task == "detect":
        yolo.write_config(dataset, folder, folder)  # the project may have been moved
    return BuiltDataset(folder, dataset, mark, files, reused=True)


def _is_whole(folder: Path, files: Mapping[str, str], sizes: object, task: Task) -> bool:
    """Whether every picture lies there in the size it was written in, and its labels beside it."""
    told = (folder / (yolo.label_name(file) if task == "detect" else folders.CLASSES) for file in files.values())
    return all(file.is_file() for file in told) and _sizes(folder, files) == sizes


def _sizes(folder: Path, files: Mapping[str, str]) -> dict[str, int]:
    """Bytes of each picture that is there."""
    return {file: path.stat().st_size for file in files.values() if (path := folder / file).is_file()}
