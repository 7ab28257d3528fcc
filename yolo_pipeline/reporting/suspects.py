"""runs/attempt-N/suspects: the pictures whose labels the model disagrees with, ready to be corrected in LabelImg."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from yolo_pipeline.diagnosis import Suspect
from yolo_pipeline.errors import one_line
from yolo_pipeline.files import folder_beside, write_text
from yolo_pipeline.formats.labelling import in_whole_pixels, place_readable
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.images import UnreadableImage, read_header
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.results import Results

PROPOSED = "?"
"""Behind the class of a box that the model proposes, so that no proposal is taken for a label by oversight."""

_COLUMNS = ("image", "kind", "weight", "label", "box", "proposed", "proposed_box", "score")


def write_suspects(results: Results) -> int:
    """Writes the folder: each picture with its XML (LabelImg's 0-based pixels), and suspects.csv, the worst first.

    The XML holds the labels as they are and, beside them, what the model proposes, under the class's name with a
    question mark. A folder that is there is left as it is: somebody may have corrected it already.

    Returns:
        how many pictures there are to look at; 0: no folder was written.
    """
    diagnosis = results.diagnoses.get("val")
    folder = results.run.suspects
    if diagnosis is None or folder.exists():
        return 0
    by_image: dict[str, list[Suspect]] = defaultdict(list)
    for suspect in diagnosis.suspects:
        by_image[suspect.image].append(suspect)
    there = {name: file for name in by_image if (file := results.picture(name)) is not None}
    if not there:
        return 0
    truths: dict[str, list[Truth]] = defaultdict(list)
    for case in diagnosis.cases:
        if case.truth is not None:
            truths[case.image].append(case.truth)
    with folder_beside(folder) as building:
        for name, file in there.items():
            _write_picture(building / PurePosixPath(name).stem, file, truths[name], by_image[name])
        write_text(building / "suspects.csv", _table([s for s in diagnosis.suspects if s.image in there]))
    return len(there)


def _write_picture(stem: Path, file: Path, truths: Sequence[Truth], suspects: Sequence[Suspect]) -> None:
    try:
        picture, _ = place_readable(file, stem, link=True)
        width, height = read_header(picture).upright_size
    except UnreadableImage:
        return
    proposals = [Truth(found.box, found.label + PROPOSED) for suspect in suspects for found in suspect.proposed]
    named = Path("suspects") / picture.name  # the folder is still under another name
    objects = [in_whole_pixels(one, width, height) for one in (*truths, *dict.fromkeys(proposals))]
    write_text(picture.with_suffix(".xml"), annotation_xml(objects, named, width, height, origin=0))


def _table(suspects: Sequence[Suspect]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for suspect in suspects:
        label, box = (suspect.truth.label, _corners(suspect.truth.box)) if suspect.truth else ("", "")
        for found in suspect.proposed:
            image = one_line(PurePosixPath(suspect.image).name)
            proposed = [found.label, _corners(found.box), f"{found.score:.3f}"]
            rows.writerow([image, suspect.kind, f"{suspect.weight:.3f}", label, box, *proposed])
    return text.getvalue()


def _corners(box: Box) -> str:
    return " ".join(f"{value:g}" for value in (box.x0, box.y0, box.x1, box.y1))
