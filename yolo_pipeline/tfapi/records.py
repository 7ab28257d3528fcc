"""A built data set as TFRecord files for training, without TensorFlow.

Upright RGB pictures of 8 bits in JPEG or PNG go in byte for byte. All others go in as such a PNG, decoded by
`decoding.decode`: the API turns no picture as EXIF says, and knows neither WebP nor TIFF.

Source: tensorflow/models object_detection/data_decoders/tf_example_decoder.py.
"""

from __future__ import annotations

import glob
import math
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from yolo_pipeline import images
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import folder_beside
from yolo_pipeline.formats.files import distinct_stems, show_box
from yolo_pipeline.formats.tfrecord_files import MAX_PICTURE_BYTES, detection_example, write_frame
from yolo_pipeline.formats.tfrecord_pictures import safe_name
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.nouns import SPLITS, Box, ImageRecord, Split
from yolo_pipeline.progress import Progress, silent

SHARD_BYTES = 200_000_000
_ROUNDING = 0.5  # pixels by which a box may reach out of its picture
_FRAME_BYTES = 16  # of a record, beside its data
_AHEAD = 32  # examples in memory at a time
_NAMED = 5
_PNG_HEADER, _PNG_DEPTH = 26, 24  # bytes up to the colour type; the place of the bits a channel (PNG, 11.2.2 IHDR)
_MODES = {"L": "grey", "1": "black and white", "P": "palette", "LA": "grey with alpha", "RGBA": "alpha"}  # Pillow's


@dataclass(frozen=True, slots=True)
class Records:
    """What was written.

    Attributes:
        files: the shards of each split that has images, in order.
        notes: what was changed, a line each.
    """

    files: dict[Split, tuple[Path, ...]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """A serialised example; `converted` says what its picture was, `clipped` how many boxes were cut."""

    data: bytes
    converted: str = ""
    clipped: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """A picture to write: its record, its file, its number in the data set from 1, and its name without suffix."""

    image: ImageRecord
    file: Path
    number: int
    stem: str


def write_records(
    dataset: BuiltDataset, folder: Path, progress: Progress = silent, *, shard_bytes: int = SHARD_BYTES
) -> Records:
    """Writes FOLDER/SPLIT.record for every split with images, or SPLIT.record-00000-of-00003 where one grows too large.

    Boxes are fractions of the upright picture, classes numbered from 1; image/source_id is the picture's number in the
    data set. A folder that is there is replaced; the same data set gives the same bytes.

    Raises:
        AnnotationError: a picture cannot be read or is larger than a record may be; a box lies outside its picture.
        DataError: the disk is full.
    """
    stems = distinct_stems(safe_name(image.name) for image in dataset.dataset.images)
    pairs = zip(dataset.dataset.images, stems, strict=True)
    jobs = [_Job(image, dataset.picture(image.name), at, stem) for at, (image, stem) in enumerate(pairs, start=1)]
    ids = {name: id for id, name in enumerate(dataset.dataset.names, start=1)}
    converted: dict[str, str] = {}
    clipped: Counter[str] = Counter()
    files: dict[Split, tuple[Path, ...]] = {}
    with folder_beside(folder, replace=True) as building:
        for split in SPLITS:
            if not (of_split := [job for job in jobs if job.image.split == split]):
                continue
            shards = _Shards(building, split, shard_bytes)
            for job, made in _made(progress.items(of_split, f"writing {split} records"), ids):
                shards.add(made.data)
                clipped[job.image.name] += made.clipped
                if made.converted:
                    converted[job.image.name] = made.converted
            files[split] = tuple(folder / file.name for file in shards.close())
    return Records(files, tuple(_notes(converted, +clipped)))


def pattern(files: tuple[Path, ...]) -> str:
    """The shards of a split as the API's input_path names them: POSIX text, what TensorFlow's patterns know escaped."""
    folder, name = files[0].parent, files[0].name
    if len(files) > 1:
        name = name.replace("-00000-", "-?????-")
    if os.name == "nt":  # where a name holds neither `*` nor `?`, and TensorFlow knows no others
        return f"{folder.as_posix()}/{name}"
    return glob.escape(folder.as_posix().replace("\\", "\\\\")) + f"/{name}"


def _made(jobs: Iterable[_Job], ids: Mapping[str, int]) -> Iterator[tuple[_Job, _Made]]:
    """The example of each picture, in order; some are made ahead, on all cores."""
    waiting: deque[tuple[_Job, Future[_Made]]] = deque()
    with all_cores() as pool:
        for job in jobs:
            waiting.append((job, pool.submit(_example, job, ids)))
            if len(waiting) > _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


class _Shards:
    """Record files of a split, a new one begun where the last would grow over `most` bytes."""

    def __init__(self, folder: Path, split: Split, most: int) -> None:
        self._folder, self._split, self._most = folder, split, most
        self._files: list[Path] = []
        self._left = 0

    def add(self, data: bytes) -> None:
        size = len(data) + _FRAME_BYTES
        if size > self._left:
            self._files.append(self._folder / f"{self._split}.{len(self._files)}.part")
            self._left = self._most
        with open(self._files[-1], "ab") as out:
            write_frame(out, data)
        self._left -= size

    def close(self) -> list[Path]:
        """Gives the files the names that TensorFlow's tools expect, now that it is known how many there are."""
        names = [f"{self._split}.record"]
        if (count := len(self._files)) > 1:
            names = [f"{self._split}.record-{at:05}-of-{count:05}" for at in range(count)]
        return [file.rename(self._folder / name) for file, name in zip(self._files, names, strict=True)]


def _example(job: _Job, ids: Mapping[str, int]) -> _Made:
    """The example of one picture."""
    data, suffix, converted = _encoded(job)
    if len(data) > MAX_PICTURE_BYTES:
        reason = f"has {len(data)} bytes, over the limit of {MAX_PICTURE_BYTES}"
        raise AnnotationError(job.image.name, reason, "Make it smaller (resize: in the attempt)")
    truths = tuple(replace(truth, box=_inside(job.image, truth.box)) for truth in job.image.truths)
    example = detection_example(
        data,
        replace(job.image, truths=truths),
        ids,
        format="png" if suffix == ".png" else "jpeg",
        name=f"{job.stem}{suffix}",
        source_id=str(job.number),
    )
    clipped = sum(now != before for now, before in zip(truths, job.image.truths, strict=True))
    return _Made(example, converted, clipped)


def _encoded(job: _Job) -> tuple[bytes, str, str]:
    """A picture as a file that TensorFlow reads as we do, its suffix, and what is unlike that in the file it has.

    Raises:
        AnnotationError: it cannot be read, or has another size than when it was built.
    """
    try:
        with images.opened(job.file) as picture:
            _check_size(job, picture.header)
            if not (unlike := _unlike(picture)):
                picture.file.seek(0)
                return picture.file.read(), images.SUFFIXES[picture.header.format], ""
        return cv2.imencode(".png", decode(job.file))[1].tobytes(), ".png", unlike
    except images.UnreadableImage as error:
        raise AnnotationError(job.file, str(error), "Mend or remove it") from error


def _check_size(job: _Job, header: images.Header) -> None:
    width, height = header.upright_size
    built = job.image.width, job.image.height
    if (width, height) != built:
        reason = f"has {width}x{height} pixels, and had {built[0]}x{built[1]} when the data set was built"
        raise AnnotationError(job.file, reason, "Build it again")


def _unlike(picture: images.Opened) -> str:
    """What keeps a file from being an upright RGB picture of 8 bits in JPEG or PNG; empty: it is one."""
    header = picture.header
    if header.format not in ("JPEG", "MPO", "PNG"):
        return header.format
    if header.orientation != 1:
        return f"EXIF orientation {header.orientation}"
    picture.file.seek(0)
    start = picture.file.read(_PNG_HEADER)
    if header.format == "PNG" and start[_PNG_DEPTH] > 8:
        return f"{start[_PNG_DEPTH]} bits"
    picture.file.seek(0)
    with images.pillow_image(picture.file, images.FORMATS) as image:
        return "" if image.mode == "RGB" else _MODES.get(image.mode, image.mode)


def _inside(image: ImageRecord, box: Box) -> Box:
    """The box, cut off at the border where rounding brought it across.

    Raises:
        AnnotationError: it lies outside, or has no area.
    """
    width, height = image.width, image.height
    reach = max(-box.x0, -box.y0, box.x1 - width, box.y1 - height)
    inside = clip_box(box, width, height)
    finite = all(map(math.isfinite, (box.x0, box.y0, box.x1, box.y1)))
    if not finite or reach > _ROUNDING or inside.width <= 0 or inside.height <= 0:
        reason = f"its box {show_box(box)} does not lie in the {width}x{height} picture"
        raise AnnotationError(image.name, reason, "Mend its labels")
    return inside


def _notes(converted: Mapping[str, str], clipped: Mapping[str, int]) -> Iterator[str]:
    if converted:
        named = _named([f"{name} ({unlike})" for name, unlike in converted.items()])
        many = "1 picture goes" if len(converted) == 1 else f"{len(converted)} pictures go"
        yield f"{many} into the records as upright 8-bit RGB PNG: {named}"
    if clipped:
        boxes = sum(clipped.values())
        many = "1 box is" if boxes == 1 else f"{boxes} boxes are"
        yield f"{many} cut off at the border of the picture, crossed by less than a pixel: {_named(list(clipped))}"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
