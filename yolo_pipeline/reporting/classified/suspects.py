"""runs/attempt-N/suspects of a classifier: the pictures whose labels it disagrees with, in folders to sort anew."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from yolo_pipeline.classification import Answer
from yolo_pipeline.detecting.naming import DistinctNames
from yolo_pipeline.errors import one_line
from yolo_pipeline.files import folder_beside, write_text
from yolo_pipeline.formats.files import place_picture
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.nouns import Split
from yolo_pipeline.reporting.classified.answers import main_split, picture_of
from yolo_pipeline.results import Results

_COLUMNS = ("picture", "image", "photo", "label", "said", "probability", "probability_of_label")


def write_picture_suspects(results: Results) -> int:
    """Writes the folder: copies of the pictures in `LABEL (says CLASS)`, and suspects.csv, the surest first.

    The table says of each which image of the data set it is, and of which photo of the sources that was made, so that
    the label can be corrected where it comes from. A folder that is there is left as it is.

    Returns:
        how many pictures there are to look at; 0: no folder was written.
    """
    split, folder = main_split(results), results.run.suspects
    if split is None or folder.exists():
        return 0
    suspects = results.classified[split].diagnosis.suspects
    there = [(answer, file) for answer in suspects if (file := picture_of(results, answer)) is not None]
    if not there:
        return 0
    photos, places = _photos(results, split), _places([answer for answer, _ in there])
    with folder_beside(folder) as building:
        for (_, file), place in zip(there, places, strict=True):
            (building / place).parent.mkdir(exist_ok=True)
            place_picture(str(file), str(building / place), link=False)
        rows = [_row(place, one, photos.get(one.image, "")) for place, (one, _) in zip(places, there, strict=True)]
        write_text(building / "suspects.csv", _table(rows))
    return len(there)


def _places(answers: Sequence[Answer]) -> list[str]:
    """Where the copies lie, with `/`: no two in one place, whatever the disk."""
    folders, files = DistinctNames(), defaultdict[str, DistinctNames](DistinctNames)
    pairs = [(answer.label, answer.said[0][0]) for answer in answers]
    named = {(label, said): folders.take(f"{label} (says {said})") for label, said in dict.fromkeys(pairs)}
    names = [PurePosixPath(answer.image) for answer in answers]
    beside = [named[pair] for pair in pairs]
    return [
        f"{folder}/{files[folder].take(name.stem)}{name.suffix}" for folder, name in zip(beside, names, strict=True)
    ]


def _photos(results: Results, split: Split) -> Mapping[str, str]:
    """Image of the data set -> the file of the photo that it was made of, as far as the run noted both."""
    truth, detections = results.run.truth_file(split), results.run.detections_file(split)
    noted = results.run.read_dataset()
    if noted is None or not truth.is_file():
        return {}
    files = {photo.sha256: photo.file for photo in noted}
    images = load_pair(truth, detections)[0]["images"]
    return {image["file_name"]: files.get(image.get("sha256") or "", "") for image in images}


def _row(picture: str, answer: Answer, photo: str) -> list[str]:
    said, probability = answer.said[0]
    names = (one_line(text) for text in (picture, answer.image, photo, answer.label, said))
    return [*names, f"{probability:.3f}", f"{answer.of_label:.3f}"]


def _table(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows(rows)
    return text.getvalue()
