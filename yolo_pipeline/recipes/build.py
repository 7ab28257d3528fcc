"""attempts/N.yaml -> datasets/NAME: read the sources, choose, deal, add backgrounds and cut-outs, augment, write."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_pipeline import attempt as attempts
from yolo_pipeline import digit_pictures, digits, formats
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.auditing.evidence import similar_files
from yolo_pipeline.building.backgrounds import add_backgrounds
from yolo_pipeline.building.classes import choose_classes, rename_classes
from yolo_pipeline.building.crops import crops_of
from yolo_pipeline.building.grouping import join_groups
from yolo_pipeline.building.merging import merge
from yolo_pipeline.building.pictures import Hashes, read_pictures
from yolo_pipeline.building.splitting import deal, splits_by_content
from yolo_pipeline.building.writing import LEAST_SIDE, BuiltDataset, Task, built_splits, fingerprint, write_built
from yolo_pipeline.classification import is_whole
from yolo_pipeline.data_settings import BackgroundSettings, SourceSettings
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.formats.source import Source, open_source, require_folder
from yolo_pipeline.formats.yolo import label_name
from yolo_pipeline.nouns import JUDGED, SPLITS, Dataset, ImageRecord, ReadReport, Split
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.derive import derive, write_preview
from yolo_pipeline.run import run_of
from yolo_pipeline.settings.classify import is_ultralytics

_DEFAULT_RATIOS: dict[Split, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
_BUILTIN = {digits.FOLDER: digits.make, digit_pictures.FOLDER: digit_pictures.make}
_LEAST_PICTURES = 2  # of a class in training
_NAMED = 20  # classes in one message


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
    with faults_named(attempt):
        photos, report = gather(attempt, hashes, progress)
        dataset, derived = derive(attempt, photos, _seed(attempt), hashes, progress)
    _refuse_untrainable(attempt, dataset)
    task: Task = "classify" if attempt.track == "classify" else "detect"
    if task == "classify":
        _refuse_unlearnable(attempt, photos)
    if expected is not None and fingerprint(dataset, hashes.known, task) != expected:
        reason = "is no longer what the run was begun with"
        raise DataError(attempt.where("data"), reason, "Undo the change, or add --again to begin anew")
    least = 1 if task == "classify" and not is_ultralytics(attempt.model) else LEAST_SIDE
    built = write_built(dataset, attempt.dataset_folder, hashes.known, progress, task=task, least_side=least)
    write_preview(built)
    return Build(built, photos, report + derived, hashes.known)


@contextmanager
def faults_named(attempt: Attempt) -> Iterator[None]:
    """Errors of the block that name a key of `data:` name the file that says it as well."""
    try:
        yield
    except DataError as error:
        if not error.where.startswith("data."):
            raise
        key, _, rest = error.where.partition(":")
        raise DataError(f"{attempt.where(key)}{':' * bool(rest)}{rest}", error.reason, error.remedy) from error


def require_sources(attempt: Attempt) -> None:
    """Refuses sources that hold nothing, before anything is fetched or made.

    Raises:
        AnnotationError: no such source, or an empty one.
    """
    for source in attempt.data.all_sources:
        path = attempt.root / source.path
        if attempt.builtin and any(_lies_in(path, attempt.root / folder) for folder in _BUILTIN):
            continue
        files = open_source(path).files
        if not files.pictures and not files.others:
            raise AnnotationError(path, "holds no picture", "Put labelled pictures there, or name another source")


def make_builtin(attempt: Attempt, progress: Progress) -> None:
    """Makes the built-in data sets that an attempt names, where data.yaml says so and they are not there yet."""
    data = attempt.data
    named = [path for source in data.all_sources for path in (source.path, source.images) if path]
    named += [block.source for block in (data.backgrounds, data.cutouts) if block and block.source]
    for folder, make in _BUILTIN.items() if attempt.builtin == "digits" else ():
        place = attempt.root / folder
        if not place.exists() and any(_lies_in(attempt.root / path, place) for path in named):
            progress.say(f"making the built-in data set of handwritten digits in {folder}")
            make(place, progress)


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path leads to a folder or into it; neither needs to be there."""
    return path.resolve().is_relative_to(folder.resolve())


def gather(attempt: Attempt, hashes: Hashes, progress: Progress) -> tuple[Dataset, ReadReport]:
    """The photos of an attempt's data set, every one with its split, before anything is made out of them.

    Those of a classification attempt are pictures of one class each; crops are photos already.
    """
    datasets, report = _read_sources(attempt, hashes, progress)
    dataset, merged = merge(datasets, hashes.known)
    report += merged
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
    if attempt.track == "classify":
        pictures = len(attempt.data.sources)  # before the boxes of `crops_of`
        labelled = [dataset.with_images(i for i in dataset.images if i.truths) for dataset in chosen[:pictures]]
        if others := sum(len(a.images) - len(b.images) for a, b in zip(chosen, labelled, strict=False)):
            notes.append(f"{others} pictures of classes that were not chosen were left out")
        return [*labelled, *chosen[pictures:]], ReadReport(notes=tuple(notes))
    if emptied := sum(map(_backgrounds, chosen)) - sum(map(_backgrounds, renamed)):
        notes.append(f"{emptied} images lost their last box to the choice of classes")
    return chosen, ReadReport(notes=tuple(notes))


def _backgrounds(dataset: Dataset) -> int:
    return sum(image.is_background for image in dataset.images)


def _seed(attempt: Attempt) -> int:
    return attempt.data.split.seed if attempt.data.split else 0


def _read_sources(attempt: Attempt, hashes: Hashes, progress: Progress) -> tuple[list[Dataset], ReadReport]:
    """Each source with the attempt's classes; that of `crops_of` comes last, cropped.

    Raises:
        DataError: a source that the track cannot learn from.
    """
    asked, crops = attempt.data.sources, attempt.data.crops_of
    read = [_read_source(attempt.root, source, progress) for source in attempt.data.all_sources]
    for source, (dataset, _) in zip(asked, read, strict=False):
        _refuse_other_task(attempt, source, dataset)
    if crops and formats.is_of_pictures(read[-1][0], attempt.root / crops.path, crops.format):
        reason = "holds folders by class, which have no boxes to crop"
        raise DataError(f"data.crops_of: {crops.path}", reason, "Name it under sources")
    for dataset, _ in read:
        hashes.of(dataset, progress)
    datasets, chosen = _wanted_classes(attempt, [dataset for dataset, _ in read])
    report = sum((report for _, report in read), ReadReport()) + chosen
    if crops:
        datasets[-1], cut = crops_of(datasets[-1])
        report += cut
    return datasets, report


def _refuse_other_task(attempt: Attempt, source: SourceSettings, dataset: Dataset) -> None:
    """
    Raises:
        DataError: boxes for a classifier, or folders by class for a detector.
    """
    where = f"data.sources: {source.path}"
    if attempt.track == "classify":
        others = [image.name for image in dataset.images if not is_whole(image)]
        if others:
            reason = f"{len(others)} of its {len(dataset.images)} pictures have boxes, or no class, such as {others[0]}"
            remedy = "Name it under `crops_of:` in place of `sources:`, and each box becomes a picture"
            raise DataError(where, reason, remedy)
    elif formats.is_of_pictures(dataset, attempt.root / source.path, source.format):
        reason = "holds folders by class, which have no boxes to learn from"
        raise DataError(where, reason, "Say `track: classify`, or name pictures with boxes")


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
        make_builtin(base, progress)
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


def _refuse_unlearnable(attempt: Attempt, photos: Dataset) -> None:
    """
    Raises:
        DataError: classes with too few pictures to learn them, or to tell them apart from.
    """
    counts = {split: Counter(t.label for image in photos.of(split) for t in image.truths) for split in SPLITS}
    training, total = counts["train"], sum(counts.values(), Counter[str]())
    judged = {name: [split for split in JUDGED if counts[split][name]] for name in photos.names}
    single = [f"{name} ({total[name]})" for name in photos.names if total[name] < _LEAST_PICTURES]
    unseen = [f"{name} ({', '.join(judged[name])})" for name in photos.names if judged[name] and not training[name]]
    few = [f"{name} ({training[name]})" for name in photos.names if training[name] < _LEAST_PICTURES]
    for classes, what in (
        (unseen, "classes of which train has no picture, but others have"),
        (single, f"classes of fewer than {_LEAST_PICTURES} pictures"),
        (few, f"classes of which train has fewer than {_LEAST_PICTURES} pictures"),
        (photos.names[:1] if len(photos.names) == 1 else (), "there is one class only, and nothing to tell it from"),
    ):
        if classes:
            named = ", ".join(classes[:_NAMED]) + " …" * (len(classes) > _NAMED)
            remedy = "Add pictures, deal them anew (`split:` with `again: true`), or leave classes out (`classes:`)"
            raise DataError(attempt.where("data"), f"{what}: {named}", remedy)
