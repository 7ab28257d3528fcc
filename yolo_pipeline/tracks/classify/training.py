"""One training of a torchvision classifier: from the built data set to best.safetensors."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from yolo_pipeline import images, settings
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.errors import AttemptError, DataError, InputError
from yolo_pipeline.files import explain_os_error
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.nouns import Split
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.run import Run
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.classify.augment import augmentation_of
from yolo_pipeline.tracks.classify.checkpoint import Journal, ended
from yolo_pipeline.tracks.classify.features import Below, Source, sources_of
from yolo_pipeline.tracks.classify.fitting import Fitting, NoLongerNumbers, Row, plan_of, steps_of
from yolo_pipeline.tracks.classify.models import Classifier, build, freeze, normalisation
from yolo_pipeline.tracks.classify.pictures import Pictures, pictures_of, readers
from yolo_pipeline.tracks.classify.standard import Standard, Standardised, standard_of, take_over
from yolo_pipeline.tracks.classify.weights import About, find_pretrained, load_pretrained, save
from yolo_pipeline.tracks.torch_device import torch_device, use_all_cores

_SECONDS_BETWEEN_WORDS, _WITHIN_AN_EPOCH = 0.2, 2.0
_SMALL = 4_000_000  # trained parameters that one core is done with before a second has taken its part
_LONG = 60.0  # seconds: what takes longer, a word is said of


@dataclass(frozen=True, slots=True)
class Begun:
    """What a training begins with.

    Attributes:
        first: the first block of which anything trains; the count of blocks where the head alone does.
        start: the file that it was filled from; None: random weights.
    """

    classifier: Classifier
    first: int
    start: Path | None

    @property
    def start_record(self) -> dict[str, Any]:
        if self.start is None:
            return {"file": None}
        return {"file": self.start.name, "sha256": images.sha256(self.start)}

    @property
    def trains_head_alone(self) -> bool:
        return self.first == len(self.classifier.blocks)

    @property
    def said_to_train(self) -> str:
        blocks = len(self.classifier.blocks)
        return "the head alone" if self.trains_head_alone else f"the head and {blocks - self.first} of {blocks} blocks"

    @property
    def parameters_trained(self) -> int:
        return sum(parameter.numel() for parameter in self.classifier.parameters() if parameter.requires_grad)


def begin(attempt: Attempt, classes: int, progress: Progress) -> Begun:
    """
    Raises:
        WeightsError: the weights to start from cannot be had, or are of another architecture.
        AttemptError: more is to be trained than there is.
    """
    start = find_pretrained(attempt, progress)
    classifier = build(attempt.model, attempt.head, classes, attempt.train["seed"])
    if start is not None:
        load_pretrained(classifier, attempt.model, start)
    try:
        return Begun(classifier, freeze(classifier, attempt.train["freeze"]), start)
    except settings.BadSettingError as error:
        key, reason, remedy = error.parts
        raise AttemptError(attempt.where(key), reason, remedy) from error


def train(attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
    """Trains in `run.training`; with `resume`, goes on from the checkpoint there, to the same weights.

    Raises:
        AttemptError, DataError: class weights or classes that do not fit the data.
        WeightsError, FinishedError: weights or checkpoint that cannot be used.
        AnnotationError: a picture that cannot be decoded.
        InputError: memory is not enough, or nothing is learnt with such a learning rate.
    """
    resume = resume and run.checkpoint.is_file()
    if resume and (said := ended(run.checkpoint)) is not None:
        return Trained(weights=run.training / "weights" / "best.safetensors", **said)
    weights = class_weights(attempt, dataset)
    device = torch_device(attempt.train.get("device"), attempt.where("train.device"))
    with _explained(attempt, run), _own_torch(device), readers(attempt.train["workers"]) as pool:
        begun = begin(attempt, len(dataset.dataset.names), silent)
        begun.classifier.to(device)
        fitting = Fitting(begun.classifier, begun.first, plan_of(attempt.train, weights), device)
        pictures = _pictures(attempt, dataset, pool)
        journal = Journal(run.training, begun.start_record, steps_of(len(pictures["train"]), attempt.train["batch"]))
        if resume:
            journal.resume(fitting)
        network = Below(begun.classifier, begun.first, normalisation(attempt.model), device)
        found, features = sources_of(list(pictures.values()), network, attempt.train["epochs"], progress)
        sources, standard = _standardised(begun, dict(zip(pictures, found, strict=True)), progress)
        if features is not None and begun.trains_head_alone and begun.parameters_trained < _SMALL:
            torch.set_num_threads(1)
        _fit(fitting, sources, journal, attempt.train["epochs"], progress)
        fitting.take_best()
        if standard is not None:
            take_over(begun.classifier, standard)
        save(journal.weights, begun.classifier, _about(attempt, dataset, fitting.best))
        trained = _trained(attempt, begun, fitting, journal.weights, device, features)
        journal.end(fitting, trained)
    return trained


def class_weights(attempt: Attempt, dataset: BuiltDataset) -> tuple[float, ...] | None:
    """What a training picture of each class counts; None: all the same.

    `balanced` is scikit-learn's: the count of all pictures by that of the class and by that of the classes.

    Raises:
        DataError: a class without training pictures, or one class alone.
        AttemptError: a weight for a class that there is not.
    """
    names = dataset.dataset.names
    counts = Counter(truth.label for image in dataset.dataset.of("train") for truth in image.truths)
    if missing := [name for name in names if not counts[name]]:
        reason = f"no training picture is of class {missing[0]}"
        remedy = "Add some, deal the splits anew (data.split), or leave the class out (data.classes)"
        raise DataError(attempt.where("data"), reason, remedy)
    if len(names) < 2:
        raise DataError(attempt.where("data"), f"all pictures are of one class, {names[0]}", "Add pictures of another")
    asked = attempt.train["class_weights"]
    if asked == "none":
        return None
    if asked == "balanced":
        return tuple(counts.total() / (len(names) * counts[name]) for name in names)
    said = {clean_label(name): float(weight) for name, weight in asked.items()}
    if unknown := [name for name in said if name not in names]:
        reason = f"there is no class {unknown[0]}"
        raise AttemptError(attempt.where("train.class_weights"), reason, settings.nearest(unknown[0], names))
    return tuple(said.get(name, 1.0) for name in names)


def _pictures(attempt: Attempt, dataset: BuiltDataset, pool: Any) -> dict[Split, Pictures]:
    """Those of train, changed as the attempt says, and those of val, if there are any, as they are."""
    splits: list[Split] = ["train", "val"] if dataset.dataset.of("val") else ["train"]
    changed = {"train": augmentation_of(attempt.train)}
    imgsz = attempt.train["imgsz"]
    return {split: pictures_of(dataset, split, imgsz, changed.get(split), pool) for split in splits}


def _standardised(
    begun: Begun, sources: dict[Split, Source], progress: Progress
) -> tuple[dict[Split, Source], Standard | None]:
    """Where a head is trained on random layers, their features standardised."""
    if begun.start is not None or not begun.trains_head_alone:
        return sources, None
    progress.say("the frozen layers are random: what they give is standardised over the training pictures")
    standard = standard_of(sources["train"])
    return {split: Standardised(source, standard) for split, source in sources.items()}, standard


def _fit(fitting: Fitting, sources: dict[Split, Source], journal: Journal, epochs: int, progress: Progress) -> None:
    if "val" not in sources:
        progress.say("no val pictures: the weights of the last epoch are used, as none can be chosen")
    words = _Words(progress, epochs, len(fitting.rows))
    journal.start_clock()
    while not fitting.ended:
        words.after(fitting.epoch(sources["train"], sources.get("val"), words.within))
        journal.note(fitting)
    if len(fitting.rows) < epochs:
        progress.say(f"stopped after epoch {len(fitting.rows)} of {epochs}: the best was epoch {fitting.best}")


def _about(attempt: Attempt, dataset: BuiltDataset, epoch: int) -> About:
    normalised = normalisation(attempt.model)
    names, imgsz = dataset.dataset.names, attempt.train["imgsz"]
    return About(attempt.model, names, imgsz, attempt.head, normalised.mean, normalised.std, epoch)


def _trained(
    attempt: Attempt,
    begun: Begun,
    fitting: Fitting,
    weights: Path,
    device: torch.device,
    features: dict[str, Any] | None,
) -> Trained:
    row = fitting.rows[fitting.best - 1]
    parameters = sum(parameter.numel() for parameter in begun.classifier.parameters())
    used = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        **{key: attempt.train[key] for key in ("imgsz", "batch", "optimizer", "lr0")},
        "epochs": len(fitting.rows),
        "best_epoch": fitting.best,
        "blocks_trained": begun.said_to_train,
        "parameters_trained": begun.parameters_trained,
        "features": features,
        "standardised": begun.start is None and begun.trains_head_alone,
    }
    own = {f"classify/{name.replace('/', '_')}": value for name, value in row.items() if name.startswith("val/")}
    return Trained(weights, begun.start_record, parameters, used, own)


class _Words:
    """What is said of a training while it runs."""

    def __init__(self, progress: Progress, epochs: int, done: int) -> None:
        self._progress, self._epochs = progress, epochs
        self._before = self._done = done
        self._began = self._said = time.monotonic()
        self._measured = ""

    def within(self, share: float) -> None:
        if share < 1:  # what a whole epoch measured is said after it
            self._say(self._done + share, _WITHIN_AN_EPOCH)

    def after(self, row: Row) -> None:
        self._done += 1
        shown = {"loss": "train/loss", "accuracy": "train/accuracy", "val accuracy": "val/accuracy"}
        self._measured = "  ".join(f"{name} {row[key]:.3f}" for name, key in shown.items() if key in row)
        self._say(self._done, _SECONDS_BETWEEN_WORDS)

    def _say(self, done: float, after: float) -> None:
        now = time.monotonic()
        if now - self._said < after and done < self._epochs:
            return
        self._said = now
        left = (now - self._began) / max(done - self._before, 1e-9) * (self._epochs - done)
        left_said = f"{math.ceil(left / 60)} min left" if left > _LONG else ""
        self._progress.at("training", done, self._epochs, "  ".join(filter(None, (self._measured, left_said))))


@contextmanager
def _own_torch(device: torch.device) -> Iterator[None]:
    """torch on all cores, and with random numbers that nobody else's depend on.

    What is nearly 0 is taken for 0: momenta of units that no longer learn end there, and processors reckon with such
    numbers a hundred times slower.
    """
    threads = torch.get_num_threads()
    use_all_cores()
    torch.set_flush_denormal(True)
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


@contextmanager
def _explained(attempt: Attempt, run: Run) -> Iterator[None]:
    """What torch raises on settings and machines, as one line for the user."""
    try:
        yield
    except NoLongerNumbers as error:
        lr0 = attempt.train["lr0"]
        remedy = f"Train with --again and a smaller lr0 than {lr0:g} (lr0: {lr0 / 10:g})"
        raise InputError(attempt.where("train.lr0"), f"{error}: the loss is no longer a number", remedy) from error
    except (MemoryError, RuntimeError) as error:
        said = str(error).lower()
        if not isinstance(error, MemoryError) and "out of memory" not in said and "can't allocate memory" not in said:
            if "no space left" in said or "failed writing file" in said:  # torch's own words for it
                raise InputError("runs", "the disk is full", "Free some space, then go on with --resume") from error
            raise
        smaller = f"Train with a smaller batch than {attempt.train['batch']} (batch: 4), a smaller imgsz or model"
        where = attempt.where("train.batch")
        raise InputError(where, f"memory is not enough: {complaint(error, 160)}", smaller) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        reason = "batch normalisation cannot learn from a single picture"
        raise InputError(attempt.where("train.batch"), reason, "Say batch: 2 or more, or a larger imgsz") from error
    except OSError as error:
        raise explain_os_error(run.folder, error) or error from error
