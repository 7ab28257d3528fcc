"""Pictures with their boxes into a Roboflow project: detections to be looked at, or labels that were corrected."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.fetching.roboflow_sdk import PAGE, Sdk, network_fault, open_sdk, status_of
from yolo_pipeline.nouns import Dataset, ImageRecord, Skip
from yolo_pipeline.progress import Progress, silent

_PROJECT = re.compile(rf"{PAGE}([\w-]+)/([\w-]+)/?", re.ASCII)
_RETRIES = 2
_MOST_FAILURES = 3  # in a row, of the network: then it is the network and not the picture
_SPLIT_NAMES = {"train": "train", "val": "valid", "test": "test"}


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of the pictures of an upload, each in one of the lists.

    Attributes:
        uploaded: names of those that are new in the project, with their boxes.
        duplicates: that were there already and got these boxes.
        kept: that were there already with boxes of their own, which were kept.
        failed: that are not there, or without their boxes, and why.
        boxes: how many boxes the project took.
    """

    uploaded: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    failed: tuple[Skip, ...] = ()
    boxes: int = 0

    def __str__(self) -> str:
        return (
            f"{len(self.uploaded)} uploaded, {len(self.duplicates)} were there and got these labels, "
            f"{len(self.kept)} were there and kept their own, {len(self.failed)} failed; {self.boxes} boxes"
        )


def upload(
    reference: str,
    dataset: Dataset,
    *,
    batch: str | None = None,
    replace: bool = False,
    predictions: bool = False,
    progress: Progress = silent,
) -> UploadReport:
    """Uploads pictures with their boxes (COCO JSON, on the upright picture) to WORKSPACE/PROJECT, one by one.

    Roboflow knows pictures by content: to upload once more what broke off, or labels that were corrected, adds none
    twice. Ctrl-C ends it after a line that says how far it came.

    Args:
        batch: the name under which Roboflow lists the pictures; None: the SDK's.
        replace: put the boxes in the place of those that a picture has there; else those are kept.
        predictions: the boxes are a model's, to be looked at: Roboflow keeps them out of the data set till then.

    Raises:
        InputError: no key, no SDK, no network, no such project, or a key of another workspace. Nothing was sent then.
    """
    if (match := _PROJECT.fullmatch(reference)) is None:
        remedy = "Write WORKSPACE/PROJECT, as in the address of its page: kitchen/fridge"
        raise InputError(reference, "is no Roboflow project", remedy)
    if batch is not None and not batch.strip():
        raise InputError("batch", "is blank", "Name the batch, or leave it out")
    sdk = open_sdk()
    where = f"{match[1]}/{match[2]}"
    info = sdk.ask(where, sdk.rfapi.get_project, sdk.key, match[1], match[2])
    project = sdk.ask(where, lambda: sdk.project.Project(sdk.key, info["project"]))
    owner = sdk.ask(where, lambda: getattr(sdk.roboflow.Roboflow(api_key=sdk.key), "current_workspace", None))
    if owner != match[1]:
        reason = f"the key is of workspace {owner or '(none)'}, and uploads go to its own projects alone"
        raise InputError(where, sdk.scrub(reason), f"Take the key of {match[1]}")
    sender = _Sender(sdk, project, dataset.names, batch, replace, predictions)
    try:
        for image in progress.items(dataset.images, "uploading"):
            sender.send(image)
    except KeyboardInterrupt:
        progress.say(f"{where}: interrupted: {sender.report()}")
        raise
    return sender.report()


@dataclass(slots=True)
class _Sender:
    """Sends pictures one by one and counts what became of them."""

    sdk: Sdk
    project: Any
    names: tuple[str, ...]
    batch: str | None
    replace: bool
    predictions: bool
    uploaded: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[Skip] = field(default_factory=list)
    boxes: int = 0
    stopped: str = ""
    _failures: int = 0

    def report(self) -> UploadReport:
        return UploadReport(
            tuple(self.uploaded), tuple(self.duplicates), tuple(self.kept), tuple(self.failed), self.boxes
        )

    def send(self, image: ImageRecord) -> None:
        if self.stopped:
            self.failed.append(Skip(image.name, f"not tried: {self.stopped}"))
            return
        there = False
        try:
            with self.sdk.quiet():
                answer = self._send_picture(image)
                there = True
                labelled = self._send_boxes(image, answer["id"])
        except Exception as error:  # the SDK raises anything, and one picture must not end the others
            self._fail(image, error, there)
            return
        self._failures = 0
        if not labelled:
            self.kept.append(image.name)
            return
        (self.duplicates if answer.get("duplicate") else self.uploaded).append(image.name)
        self.boxes += len(image.truths)

    def _send_picture(self, image: ImageRecord) -> Any:
        with _named(image) as file:
            answer, _, _ = self.project.upload_image(
                image_path=str(file),
                split=_SPLIT_NAMES[image.split or "train"],
                batch_name=self.batch,
                num_retry_uploads=_RETRIES,
            )
            return answer

    def _send_boxes(self, image: ImageRecord, image_id: str) -> bool:
        """Whether the boxes were taken; not: the picture has some, and they were kept."""
        answer, _, _ = self.project.save_annotation(
            annotation_path={"name": "annotation.coco.json", "rawText": coco_text(image, self.names)},
            image_id=quote(str(image_id), safe=""),
            job_name=quote(self.batch, safe="") if self.batch else None,  # the SDK puts it into the address as it is
            is_prediction=self.predictions,
            annotation_overwrite=self.replace,
            num_retry_uploads=_RETRIES,
        )
        return "warn" not in answer

    def _fail(self, image: ImageRecord, error: Exception, there: bool) -> None:
        network, status = network_fault(error), status_of(error)
        self._failures = self._failures + 1 if network and status is None else 0
        reason = self.sdk.reason(error)
        if isinstance(error, OSError) and not network:
            reason = f"its file cannot be read ({error.strerror})"
        self.failed.append(Skip(image.name, f"the picture is there, its boxes are not: {reason}" if there else reason))
        if status in (401, 403) or self._failures >= _MOST_FAILURES:
            self.stopped = reason


def coco_text(image: ImageRecord, names: tuple[str, ...]) -> str:
    """The boxes of one picture as COCO JSON. Categories count from 1.

    A background gets one annotation of no picture, without which Roboflow does not take the text for COCO.
    Source: roboflow 1.7.3 util/folderparser.py.
    """
    number = {name: index for index, name in enumerate(names, start=1)}
    annotations: list[dict[str, Any]] = [
        {
            "id": index,
            "image_id": 1,
            "category_id": number[truth.label],
            "bbox": [truth.box.x0, truth.box.y0, truth.box.width, truth.box.height],
            "area": truth.box.width * truth.box.height,
            "segmentation": [],
            "iscrowd": 0,
        }
        for index, truth in enumerate(image.truths, start=1)
    ]
    of_none = {"id": 999999999, "image_id": 999999999, "category_id": 0, "area": 1, "segmentation": [], "iscrowd": 0}
    document = {
        "info": {},
        "licenses": [],
        "categories": [{"id": index, "name": name, "supercategory": "none"} for name, index in number.items()],
        "images": [{"id": 1, "file_name": file_name(image), "width": image.width, "height": image.height}],
        "annotations": annotations or [of_none],
    }
    return json.dumps(document, ensure_ascii=False)


def file_name(image: ImageRecord) -> str:
    """The name that Roboflow lists the picture under: its own, with the suffix of its true format."""
    name = PurePosixPath(image.name).with_suffix(image.suffix).name
    return one_line(name.encode("utf-8", "replace").decode())


@contextmanager
def _named(image: ImageRecord) -> Iterator[Path]:
    """The picture's file under the name that it is to have there, as the SDK sends the name of the file."""
    if image.file.name == file_name(image):
        yield image.file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file_name(image)
        shutil.copyfile(image.file, copy)
        yield copy
