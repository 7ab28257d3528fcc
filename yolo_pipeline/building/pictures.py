"""Picture files without annotations: their records, and the hashes of any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.cores import all_cores
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import image_record
from yolo_pipeline.formats.source import open_source, require_folder
from yolo_pipeline.nouns import Dataset, ImageRecord, Skip
from yolo_pipeline.progress import Progress


@dataclass(slots=True)
class Hashes:
    """sha256 of picture files, each computed once, on all cores."""

    known: dict[Path, str] = field(default_factory=dict)

    def of(self, dataset: Dataset, progress: Progress) -> Mapping[Path, str]:
        missing = list(dict.fromkeys(image.file for image in dataset.images if image.file not in self.known))
        with all_cores() as pool:
            hashes = pool.map(images.sha256, missing)
            self.known |= zip(progress.items(missing, "hashing pictures"), hashes, strict=True)
        return self.known


def read_pictures(folder: Path, what: str, progress: Progress) -> tuple[ImageRecord, ...]:
    """Records without objects of all pictures in a folder.

    Raises:
        AnnotationError: no such folder, or pictures that cannot be read (all are named).
    """
    require_folder(folder)
    bad: list[Skip] = []
    records = []
    for name in progress.items(open_source(folder).pictures.pictures, what):
        try:
            records.append(image_record(folder, name, images.read_header(folder / name)))
        except images.UnreadableImage as error:
            bad.append(Skip(name, str(error)))
    if bad:
        raise AnnotationError(folder, "; ".join(f"{b.file}: {b.why}" for b in bad), "Mend or remove them")
    return tuple(records)
