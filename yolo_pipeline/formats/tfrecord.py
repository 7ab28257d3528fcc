"""TFRecord files of the TensorFlow Object Detection API: pictures and boxes in one file, read without TensorFlow.

Boxes are fractions, in 32 bits, of the picture as stored: TensorFlow's decoder does not turn it as EXIF says. Classes
have a name (class/text), and a number (class/label) that label_map.pbtxt explains.

Source: tensorflow/models object_detection/g3doc/using_your_own_dataset.md, data_decoders/tf_example_decoder.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.files import as_stored, distinct_stems
from yolo_pipeline.formats.source import Listing, ReadOptions, Source
from yolo_pipeline.nouns import Dataset, ImageRecord, ReadReport
from yolo_pipeline.progress import Progress, silent

LABEL_MAP = "label_map.pbtxt"
_FORMAT_NAMES = {"MPO": "jpeg"}
_NO_RECORDS = "Name a folder with .record or .tfrecord files, or one of them"


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads every record file of a source, shards too. An example without objects is background.

    Pictures are unpacked once into the user's cache. Names of classes come from class/text, else from a label map
    anywhere in the source; their order from its numbers, else sorted. A record file's split is that of its folder
    or name.

    Raises:
        AnnotationError: no record file, records or label maps that cannot be read (all are named), or numbers for
            classes without a label map.
    """
    from yolo_pipeline.formats.tfrecord_reading import read_records

    if not source.files.records():
        raise AnnotationError(source.path, "holds no TFRecord file", _NO_RECORDS)
    return read_records(source, options)


def write(
    dataset: Dataset, out: Path, *, root: Path | None = None, link: bool = False, progress: Progress = silent
) -> dict[str, str]:
    """Writes OUT/label_map.pbtxt and OUT/SPLIT.record; images without a split go to OUT/data.record.

    Pictures go in byte for byte, boxes on their stored pixels.

    Args:
        root, link, progress: as in `yolo.write`; record files do not say where they lie, and hold their pictures.

    Returns:
        name of each image record -> the record file that holds it, below `out`.

    Raises:
        AnnotationError: a picture is larger than a record may be.
    """
    from yolo_pipeline.formats.label_map import label_map_text
    from yolo_pipeline.formats.tfrecord_files import write_frame
    from yolo_pipeline.formats.tfrecord_pictures import safe_name

    write_text(out / LABEL_MAP, label_map_text(dataset.names))
    ids = {name: id for id, name in enumerate(dataset.names, start=1)}
    stems = distinct_stems(safe_name(image.name) for image in dataset.images)
    placed: dict[str, str] = {}
    with ExitStack() as opened:
        files: dict[str, BinaryIO] = {}
        for image, stem in progress.items(list(zip(dataset.images, stems, strict=True)), "writing data set"):
            name = f"{image.split or 'data'}.record"
            if name not in files:
                files[name] = opened.enter_context(open(out / name, "wb"))
            write_frame(files[name], _example(image, stem, ids))
            placed[image.name] = name
    return placed


def recognise(listing: Listing) -> bool:
    """Whether there are record files, which their names tell."""
    return bool(listing.records())


def _example(image: ImageRecord, stem: str, ids: Mapping[str, int]) -> bytes:
    """The example of a picture as it lies on the disk."""
    from yolo_pipeline.formats.tfrecord_files import MAX_PICTURE_BYTES, detection_example

    if (size := image.file.stat().st_size) > MAX_PICTURE_BYTES:
        raise AnnotationError(image.file, f"has {size} bytes, over the limit of {MAX_PICTURE_BYTES}", "Make it smaller")
    format = images.read_header(image.file).format
    name = f"{stem}{images.SUFFIXES[format]}"
    called = _FORMAT_NAMES.get(format, format.lower())
    picture = image.file.read_bytes()
    return detection_example(picture, as_stored(image), ids, format=called, name=name, source_id=name)
