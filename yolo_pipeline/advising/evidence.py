"""What every rule is given: what a run recorded, and what its curves and its detections on val say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yolo_pipeline import settings
from yolo_pipeline.classification import Classified
from yolo_pipeline.diagnosis import CurveReading, Diagnosis, Interval
from yolo_pipeline.nouns import Finding, Scores

GOOD = 0.95
"""mAP50 on val from which on training has little left to gain; Ultralytics' own models reach 0.5 to 0.7 on COCO."""

GOOD_TOP1 = 0.97
"""The same of a classifier's top-1: the seeds' best run named 97 of 100 digits rightly."""

WITNESS = 0.5
"""mAP50, or top-1, on val from which on a model has learnt enough to be asked about labels and pictures."""

CLEARLY_WORSE = 0.05
"""F1 lost by a confidence from which on it, and not the training, is what is wrong."""

RISES, LONG_PAST = 0.1, 0.8
"""Share by which the loss on val rises above its lowest while that on train falls, and share of the epochs after which
the best mAP on val is no longer found, when one overfits. In benchmarks/advice.py the loss on val rises by 0 in sound
trainings, by 0.56 in an overfitted one (best epoch 27 of 77), and by 1.6 where val holds what training never showed;
but there mAP rises to the end."""

STILL_FALLING = 0.05
"""Share of its highest value by which the loss on val falls over the last fifth of a training that is not at its end.
Those of benchmarks/advice.py that are, with mAP50 at 0.99, fall by 0.02 to 0.045 as the learning rate goes to 0; their
first 8 of 20 epochs, taken alone, by 0.2 and more."""

GAP = 0.1
"""Share of the pictures by which a classifier that overfits is better on train than on val, if that is not chance."""

HARDLY_ANY_EPOCHS = 10
"""Below, curves say little, and warming up alone takes Ultralytics' 3."""

AUGMENTATIONS = {"mosaic": 1.0, "translate": 0.1, "scale": 0.5, "hsv_h": 0.015, "hsv_s": 0.7, "hsv_v": 0.4}
"""What keeps training from learning its pictures by heart, with Ultralytics' defaults (8.4.190 cfg/default.yaml)."""

_MAP50 = ("/mAP50", "/mAP@.50IOU")  # as frameworks name it

_DEFAULTS: Mapping[str, Any] = {**settings.yolo.DEFAULTS, **AUGMENTATIONS, "freeze": None, "cls_pw": 0.0}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a rule may look at. What was measured on test is not here: choices are made on val.

    Attributes:
        settings: of the attempt, resolved, as they were recorded.
        used: what training really used (`imgsz`, `batch` …).
        own: the framework's own metrics, such as `yolov5/mAP50`.
        counts: split -> images, boxes, backgrounds, and boxes of each of the classes.
        findings: of the audit.
        scores, intervals, diagnosis: on val; None or empty for a run from elsewhere that left no detections, and for a
            classifier.
        mirrored: setting -> the classes that it makes another sign of, or none.
        classified: of a classifier, on val.
        kept: column of the curves -> its figure in the epoch whose weights were kept; of a classifier.
        start: what training started from: {"file", …}, None standing for random weights; empty where it was not noted.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    scores: Scores | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    reading: CurveReading | None = None
    mirrored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classified: Classified | None = None
    kept: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)

    @property
    def track(self) -> Any:
        return self.settings.get("track", "yolo")

    @property
    def model(self) -> str:
        return str(self.settings.get("model"))

    def train(self, key: str) -> Any:
        """A training setting; on the YOLO track Ultralytics' default where the attempt does not say it."""
        defaults = _DEFAULTS if self.track == "yolo" else {}
        return self._said("train").get(key, defaults.get(key))

    def data(self, key: str) -> Mapping[str, Any] | None:
        """A block of the attempt's `data:`."""
        block = self._said("data").get(key)
        return block if isinstance(block, Mapping) else None

    def _said(self, block: str) -> Mapping[str, Any]:
        said = self.settings.get(block)
        return said if isinstance(said, Mapping) else {}

    @property
    def imgsz(self) -> int | None:
        """What the network really saw: Ultralytics rounds up to its stride."""
        asked = settings.trained_size(str(self.track), self.model, {"imgsz": self.train("imgsz")})
        size = self.used.get("imgsz", asked)
        return size if isinstance(size, int) else None

    @property
    def conf(self) -> float | None:
        """From which on the attempt counts detections; None: that of the best F1."""
        conf = self._said("detect").get("conf")
        return conf if isinstance(conf, float) else None

    @property
    def mAP50(self) -> float | None:  # noqa: N802
        """The judge's on val, else the framework's own."""
        if self.scores is not None:
            return self.scores.mAP50
        own = (value for name, value in sorted(self.own.items()) if name.endswith(_MAP50))
        return next((value for value in own if isinstance(value, (int, float))), None)

    @property
    def classifies(self) -> bool:
        return bool(self.track == "classify")

    @property
    def top1(self) -> float | None:
        """The judge's on val, else that of the curves."""
        return self.classified.scores.top1 if self.classified else self.kept.get("val/accuracy")

    @property
    def has_room(self) -> bool:
        """Whether there is something to gain, as far as that was measured."""
        reached, good = (self.top1, GOOD_TOP1) if self.classifies else (self.mAP50, GOOD)
        return reached is None or reached < good

    @property
    def overfits(self) -> bool:
        read = self.reading
        rises = read is not None and read.val_rise >= RISES and read.train_fall >= RISES
        if self.classifies:  # its loss rises while its accuracy stays: it errs ever more surely
            too_few = read is not None and read.epochs < HARDLY_ANY_EPOCHS
            return not too_few and (rises or self.is_worse_on_val)
        return rises and read is not None and read.best <= LONG_PAST * read.epochs

    @property
    def is_worse_on_val(self) -> bool:
        """Whether a classifier is far better on the pictures that it learnt from than chance allows."""
        train, interval = self.kept.get("train/accuracy"), self.intervals.get("top1")
        if train is None or self.top1 is None or interval is None:
            return False
        return train >= self.top1 + GAP and train > interval.high

    @property
    def diverged(self) -> bool:
        """Whether the loss on train came apart. Ultralytics chooses its rate itself, and goes back where it failed."""
        return self.track == "tfapi" and self.reading is not None and self.reading.apart is not None

    @property
    def ended_too_soon(self) -> CurveReading | None:
        """What the curves say, where nothing but its settings ended a training that has something left to gain."""
        fit = self.has_room and not self.overfits and not self.diverged
        return self.reading if fit and self.reading and not self.reading.stopped_early else None

    @property
    def f1_lost(self) -> float:
        """By the attempt's confidence for detection, against the best one."""
        if self.diagnosis is None or self.conf is None or self.diagnosis.curve.best is None:
            return 0.0
        curve = self.diagnosis.curve
        best = max(f1 for f1 in curve.f1 if f1 == f1)  # NaN where no object is
        return best - curve.at(self.conf)[2]

    @property
    def counted(self) -> Diagnosis | None:
        """The diagnosis, where its confidence is not what is wrong: else its counts say nothing of the training."""
        return self.diagnosis if self.f1_lost < CLEARLY_WORSE else None

    @property
    def witness(self) -> Diagnosis | None:
        """The same of a model that has learnt enough: what an untrained or overfitted one mistakes says nothing of the
        data."""
        return self.counted if (self.mAP50 or 0.0) >= WITNESS and not self.overfits else None

    @property
    def unlearnt_classes(self) -> frozenset[str]:
        """Classes that the model has not learnt enough to be a witness of their labels."""
        classes = self.scores.classes if self.scores else {}
        return frozenset(name for name, entry in classes.items() if (entry.AP50 or 0.0) < WITNESS)

    @property
    def mirrored_classes(self) -> frozenset[str]:
        """Classes that a setting makes other signs of: what the model takes them for is no fault of the labels."""
        return frozenset(name for classes in self.mirrored.values() for name in classes)

    def finding(self, kind: str) -> Finding | None:
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def images(self, split: str) -> int:
        return int(self.counts.get(split, {}).get("images", 0))

    def boxes_of(self, split: str) -> dict[str, int]:
        """Class -> boxes; empty where a run from elsewhere did not count them."""
        return dict(self.counts.get(split, {}).get("classes") or {})


def evidence_of(
    record: Mapping[str, Any],
    scores: Scores | None,
    intervals: Mapping[str, Interval],
    diagnosis: Diagnosis | None,
    reading: CurveReading | None,
    mirrored: Mapping[str, Iterable[str]],
) -> Evidence:
    """Evidence of saved values.

    Args:
        record: what the run recorded; what an imported run lacks may be absent.
        scores, intervals, diagnosis: on val.
    """
    return Evidence(
        **_recorded(record),
        scores=scores,
        intervals=intervals,
        diagnosis=diagnosis,
        reading=reading,
        mirrored={setting: tuple(classes) for setting, classes in mirrored.items()},
    )


def evidence_of_pictures(
    record: Mapping[str, Any],
    classified: Classified | None,
    reading: CurveReading | None,
    kept: Mapping[str, float],
    mirrored: Mapping[str, Iterable[str]],
) -> Evidence:
    """The same of a classifier.

    Args:
        classified: on val.
    """
    return Evidence(
        **_recorded(record),
        intervals=classified.intervals if classified else {},
        reading=reading,
        mirrored={setting: tuple(classes) for setting, classes in mirrored.items()},
        classified=classified,
        kept=kept,
    )


def _recorded(record: Mapping[str, Any]) -> dict[str, Any]:
    training, data = record.get("training") or {}, record.get("data") or {}
    start = training.get("start")
    return {
        "settings": record.get("settings") or {},
        "used": training.get("used") or {},
        "own": training.get("own_metrics") or {},
        "start": start if isinstance(start, Mapping) else {},
        "names": tuple(data.get("names") or ()),
        "counts": data.get("counts") or {},
        "findings": tuple(_finding(row) for row in record.get("findings") or ()),
    }


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(**{**row, "files": tuple(row.get("files", ()))})
