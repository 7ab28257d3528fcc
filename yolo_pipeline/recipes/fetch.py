"""A version of a Roboflow project -> a folder of this project; a source -> a Roboflow project."""

from __future__ import annotations

from pathlib import Path

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError, DataError, UsageError
from yolo_pipeline.fetching import roboflow, roboflow_upload
from yolo_pipeline.fetching.roboflow_upload import UploadReport
from yolo_pipeline.files import folder_beside
from yolo_pipeline.formats import FORMATS, ReadOptions
from yolo_pipeline.formats.archive import unpack_into
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.reporting.reading import reading_lines


def fetch_roboflow(
    root: Path, reference: str, out: Path | None = None, export: str = "yolov8", progress: Progress = silent
) -> Path:
    """Fetches WORKSPACE/PROJECT/VERSION with the key in ROBOFLOW_API_KEY, and gives its folder.

    Args:
        out: a new or empty folder; default: datasets/raw/PROJECT-vVERSION of the project in `root`.
        export: Roboflow's name of the format: yolov8, coco, voc …

    Raises:
        InputError: something in the way, what Roboflow or the network refuse, an unsafe archive. Nothing is left then.
    """
    _, project, version = roboflow.project_and_version(reference)
    folder = out or root / "datasets" / "raw" / f"{project}-v{version}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(folder, "is there and not empty", "Name a new folder, or remove it first")
    found = roboflow.find_export(reference, export=export, progress=progress)
    with folder_beside(folder) as building:
        archive = building / f".{project}-v{version}.zip"  # no entry of an archive is unpacked under a hidden name
        roboflow.download(found, archive, progress)
        try:
            unpack_into(building, archive, progress)
        except AnnotationError as error:
            entry = error.where.removeprefix(str(archive)).removeprefix(": ")
            where = f"{found.reference}: {entry}" if entry else found.reference
            raise DataError(
                where, f"in Roboflow's archive: {error.reason}", "Fetch it again, or ask Roboflow"
            ) from None
        archive.unlink()
        if not any(building.iterdir()):
            raise DataError(found.reference, "Roboflow's archive holds nothing", "Look at the version's page")
    return folder


def upload_roboflow(
    source: Path,
    reference: str,
    format: str = "auto",
    *,
    batch: str | None = None,
    replace: bool = False,
    predictions: bool = False,
    options: ReadOptions = ReadOptions(),
) -> UploadReport:
    """Uploads a source, in any format that is read, to WORKSPACE/PROJECT; see `roboflow_upload.upload`.

    What reading mended and left out is said on `options.progress`.

    Raises:
        InputError: what reading finds, or what keeps Roboflow from being reached. Nothing was sent then.
    """
    if format not in FORMATS and format != "auto":
        raise UsageError(f"format {format!r} is not known. Known are {', '.join(FORMATS)}")
    dataset, report = formats.read(source, format, options)
    for line in reading_lines(report):
        options.progress.say(line)
    return roboflow_upload.upload(
        reference, dataset, batch=batch, replace=replace, predictions=predictions, progress=options.progress
    )
