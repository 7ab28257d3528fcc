"""attempts/N.yaml -> datasets/NAME: read the sources, choose, deal, add backgrounds and cut-outs, augment, write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_pipeline import attempt as attempts
from yolo_pipeline import digits, formats
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.auditing.evidence import similar_files
from yolo_pipeline.building.backgrounds import add_backgrounds
from yolo_pipeline.building.classes import choose_classes, rename_classes
from yolo_pipeline.building.grouping import join_groups
from yolo_pipeline.building.merging import merge
from yolo_pipeline.building.pictures import Hashes, read_pictures
from yolo_pipeline.building.splitting import deal, splits_by_content
from yolo_pipeline.building.writing import BuiltDataset, built_splits, fingerprint, write_built
from yolo_pipeline.data_settings import BackgroundSettings, SourceSettings
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.formats.source import Source, open_source, require_folder
from yolo_pipeline.formats.yolo import label_name
from yolo_pipeline.nouns import Dataset, ImageRecord, ReadReport, Split
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.derive import derive, write_preview
from yolo_pipeline.run import run_of

_DEFAULT_RATIOS: dict[Split, float] = {"train": 0.8, "val": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class Build:
    """A built data set with what reading its sources reported.

    `photos` are the pictures that it was made from: the same, where nothing was edited or cut out.
    """

    built: BuiltDataset
    photos: Dataset
    report: ReadReport
    hashes: Mapping[Path, str]


def build(attempt: Attempt, progress: Progress = silent, *, expected: str | None = None) -> Build:
    """Builds the data set of an attempt, or takes the one that is there when nothing has changed.

    Args:
        expected: the fingerprint that it must have.

    Raises:
        DataError: it would be another; nothing was touched.
    """
    make_builtin(attempt, progress)
    hashes = Hashes()
    try:
        photos, report = gather(attempt, hashes, progress)
        dataset, derived = derive(attempt, photos, _seed(attempt), hashes, progress)
    except DataError as error:
        if not error.where.startswith("data."):
            raise
        key, _, rest = error.where.partition(":")
        raise DataError(f"{attempt.where(key)}{':' * bool(rest)}{rest}", error.reason, error.remedy) from error
    _refuse_untrainable(attempt, dataset)
    if expected is not None and fingerprint(dataset, hashes.known) != expected:
        reason = "is no longer what the run was begun with"
        raise DataError(attempt.where("data"), reason, "Undo the change, or add --again to begin anew")
    built = write_built(dataset, attempt.dataset_folder, hashes.known, progress)
    write_preview(built)
    return Build(built, photos, report + derived, hashes.known)


def require_sources(attempt: Attempt) -> None:
    """Refuses sources that hold nothing, before anything is fetched or made.

    Raises:
        AnnotationError: no such source, or an empty one.
    """
    for source in attempt.data.sources if attempt.builtin is None else ():
        path = attempt.root / source.path
        files = open_source(path).files
        if not files.pictures and not files.others:
            raise AnnotationError(path, "holds no picture", "Put labelled pictures there, or name another source")


def make_builtin(attempt: Attempt, progress: Progress) -> None:
    """Makes the built-in data set where data.yaml names it and it is not there yet."""
    folder = attempt.root / digits.FOLDER
    if attempt.builtin == "digits" and not folder.exists():
        progress.say(f"making the built-in data set of handwritten digits in {digits.FOLDER}")
        digits.make(folder, progress)


def gather(attempt: Attempt, hashes: Hashes, progress: Progress) -> tuple[Dataset, ReadReport]:
    """The photos of an attempt's data set, every one with its split, before anything is made out of them."""
    read = [_read_source(attempt.root, source, progress) for source in attempt.data.sources]
    for dataset, _ in read:
        hashes.of(dataset, progress)
    datasets, chosen = _wanted_classes(attempt, [dataset for dataset, _ in read])
    dataset, merged = merge(datasets, hashes.known)
    report = sum((report for _, report in read), ReadReport()) + chosen + merged
    if attempt.data.split and attempt.data.split.similar_together:
        dataset = join_groups(dataset, similar_files(dataset, progress))
    report += ReadReport(notes=_leaks(dataset, hashes.known) if attempt.data.split is None else ())
    dataset = _split(attempt, dataset, hashes, progress)
    report += ReadReport(notes=_without_effect(attempt))
    if attempt.data.backgrounds is not None:
        pictures = _read_backgrounds(attempt.root, attempt.data.backgrounds, progress)
        hashes.of(Dataset((), pictures), progress)
        photos = len(dataset.images)
        dataset = add_backgrounds(dataset, pictures, attempt.data.backgrounds.share, _seed(attempt), hashes.known)
        if len(dataset.images) == photos:
            report += ReadReport(notes=("no background was added: as many training pictures have no box already",))
    return dataset, report


def _without_effect(attempt: Attempt) -> tuple[str, ...]:
    """A note on what a split says that pictures with a split of the base's do not follow."""
    said = {key for key, _, _ in attempt.changed} & {"data.split.seed", "data.split.similar_together"}
    if attempt.base is None or not said or (attempt.data.split and attempt.data.split.again):
        return ()
    keys = " and ".join(sorted(said))
    return (f"{keys}: pictures of attempt {attempt.base} keep their split; `again: true` deals all of them anew",)


def _wanted_classes(attempt: Attempt, datasets: list[Dataset]) -> tuple[list[Dataset], ReadReport]:
    """The sources with the attempt's class names, so that merging compares like with like."""
    renamed = rename_classes(datasets, attempt.data.rename)
    notes = []
    if equal := sum(dataset.boxes for dataset in datasets) - sum(dataset.boxes for dataset in renamed):
        notes.append(f"{equal} boxes were equal to others once classes were renamed and were left out")
    if attempt.data.classes is None:
        return renamed, ReadReport(notes=tuple(notes))
    chosen = choose_classes(renamed, attempt.data.classes)
    if emptied := sum(map(_backgrounds, chosen)) - sum(map(_backgrounds, renamed)):
        notes.append(f"{emptied} images lost their last box to the choice of classes")
    return chosen, ReadReport(notes=tuple(notes))


def _backgrounds(dataset: Dataset) -> int:
    return sum(image.is_background for image in dataset.images)


def _seed(attempt: Attempt) -> int:
    return attempt.data.split.seed if attempt.data.split else 0


def _read_source(root: Path, source: SourceSettings, progress: Progress) -> tuple[Dataset, ReadReport]:
    options = ReadOptions(
        images=root / source.images if source.images else None,
        unlabelled=source.unlabelled,
        difficult=source.difficult,
        label_key=source.label_key,
        progress=progress,
    )
    return formats.read(root / source.path, source.format, options)


def _split(attempt: Attempt, dataset: Dataset, hashes: Hashes, progress: Progress) -> Dataset:
    """Deals the images: what the base had dealt stays, then what the sources say, then the attempt's shares."""
    asked = attempt.data.split
    kept: dict[str, Split] = {}
    if attempt.base is not None and not (asked and asked.again):
        kept = _base_splits(attempt, hashes, progress)
    if asked is None:
        own = [kept.get(hashes.known[image.file], image.split) for image in dataset.images]
        if all(own):
            return dataset.with_images(replace(i, split=split) for i, split in zip(dataset.images, own, strict=True))
        kept = {**splits_by_content(dataset.images, hashes.known), **kept}
    ratios = asked.ratios if asked else _DEFAULT_RATIOS
    return deal(dataset, ratios, asked.seed if asked else 0, hashes.known, kept)


def _base_splits(attempt: Attempt, hashes: Hashes, progress: Progress) -> dict[str, Split]:
    """The splits that the base was trained with, else built with, else those that it would be built with."""
    assert attempt.base is not None
    base = attempts.load(attempt.root, attempt.base)
    splits = run_of(base.root, base.number).read_splits()
    if splits is None and base.dataset_path is None:
        splits = built_splits(base.dataset_folder)
    if splits is None:
        dataset, _ = gather(base, hashes, progress)
        splits = splits_by_content(dataset.images, hashes.known)
    return splits


def _leaks(dataset: Dataset, hashes: Mapping[Path, str]) -> tuple[str, ...]:
    """A note on pictures that a source put into several splits."""
    splits: dict[str, set[Split]] = defaultdict(set)
    for image in dataset.images:
        if image.split is not None:
            splits[hashes[image.file]].add(image.split)
    leaked = [image.name for image in dataset.images if len(splits[hashes[image.file]]) > 1]
    if not leaked:
        return ()
    named = ", ".join(leaked[:4]) + (" …" if len(leaked) > 4 else "")
    return (f"{len(leaked)} pictures are in several splits of their source, which flatters the scores: {named}",)


def _read_backgrounds(root: Path, settings: BackgroundSettings, progress: Progress) -> tuple[ImageRecord, ...]:
    """The pictures of the background folder.

    Raises:
        DataError: labels with objects lie there, too.
        AnnotationError: no such folder, or pictures that cannot be read.
    """
    folder = root / settings.source
    require_folder(folder)
    source = open_source(folder)
    labelled = _labelled_pictures(folder, source)
    if labelled:
        reason = f"{len(labelled)} pictures of this background folder have labelled objects: {', '.join(labelled[:5])}"
        raise DataError(settings.source, reason, "Take them out, or name the folder under data.sources")
    return read_pictures(folder, "reading backgrounds", progress)


def _labelled_pictures(folder: Path, source: Source) -> list[str]:
    """Pictures with objects, by annotations in the folder or by YOLO labels in the folder parallel to it."""
    found: list[str] = []
    for entry in formats.FORMATS.values():
        if entry.recognise and entry.recognise(source.files):
            dataset, _ = entry.read(source, ReadOptions(unlabelled="background"))
            found += [image.name for image in dataset.images if image.truths]
    for name in source.pictures.pictures:
        labels = Path(label_name((folder.resolve() / name).as_posix()))
        if labels.is_file() and labels.read_bytes().strip():
            found.append(name)
    return sorted(set(found))


def _refuse_untrainable(attempt: Attempt, dataset: Dataset) -> None:
    where = attempt.where("data")
    for split in ("train", "val"):
        if not any(image.truths for image in dataset.images if image.split == split):
            reason = f"there is no labelled image in {split}"
            raise DataError(
                where, reason, "Label more pictures, or deal them with `split: {train: 0.8, val: 0.1, test: 0.1}`"
            )
