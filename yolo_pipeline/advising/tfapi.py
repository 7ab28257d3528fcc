"""The track tfapi: rules of its own, and what rules on training change there.

Its trainings go by steps, and its models come in two sizes of pictures and two of networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import STILL_FALLING, Evidence
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.settings import tfapi as settings

Changes = list[tuple[str, Any]]

HARDLY_ANY_STEPS = 300
"""From scratch these bring 40 pictures of digits to an mAP50 of 0.7; below, curves show the warm-up and little else."""

MOST_STEPS = 50_000  # the most that configs/tf2 train one of these models on all of COCO
FLIP = "train.random_horizontal_flip"

_M320, _M640, _R640 = settings.MODELS
SMALLER, LARGER = {_R640: _M640}, {_M640: _R640}
LARGEST = max(model.size for model in settings.MODELS.values())

_USUAL: int = settings.DEFAULTS["steps"]
_A_THIRD = 1 / 3  # of the rate: what configs/tf2 begin to warm up from
_MOST_WARM_UP = 1000
_CLIPPED: float = settings.DEFAULTS["gradient_clipping_by_norm"]
_BESIDE_OWN_CONFIG = ("train.steps",)


def diverged(evidence: Evidence) -> Iterator[Advice]:
    """Goyal et al., 2017: the rate in proportion to the batch, after a warm-up. Trigger: the loss on train is no
    number, or half as high again as it began, to the end."""
    read = evidence.reading
    if read is None or not evidence.diverged:
        return
    rate = _number(evidence.train("learning_rate_base"))
    wanted = _lower(evidence, rate)
    yield advice(
        "diverged",
        _gentler(evidence, read.asked, wanted),
        apart=read.apart,
        steps=read.epochs,
        rate=rate,
        wanted=wanted,
    )


def hardly_any_steps(evidence: Evidence) -> Iterator[Advice]:
    """The makers' own configs warm up for 1,000 steps. Trigger: fewer than 300; there is something to gain on val."""
    read = evidence.ended_too_soon
    if read and read.unit == "step" and read.epochs < HARDLY_ANY_STEPS and read.asked < MOST_STEPS:
        wanted, warm = _longer(read.asked), _warm_up(_USUAL)
        changes = [("train.steps", wanted)]
        yield advice("hardly any steps", changes, steps=read.epochs, warm=warm, usual=_USUAL, wanted=wanted)


def more_steps(evidence: Evidence) -> Iterator[Advice]:
    """The makers' own configs train for 25,000 steps and more. Trigger: the loss on val still falls at the end; there
    is something to gain on val."""
    read = evidence.ended_too_soon
    if read is None or read.unit != "step" or read.epochs < HARDLY_ANY_STEPS or read.asked >= MOST_STEPS:
        return
    if read.still_falling >= STILL_FALLING:
        wanted, fell = _longer(read.asked), round(read.still_falling, 4)
        changes = [("train.steps", wanted)]
        yield advice("more steps", changes, steps=read.epochs, best=read.best, fell=fell, wanted=wanted)


def mark(evidence: Evidence) -> dict[str, str]:
    """What tells `advice` that its words are those of this track."""
    return {"track": "tfapi"} if evidence.track == "tfapi" else {}


def passes(evidence: Evidence) -> float:
    """How often each training picture was shown; 0 where that is not known."""
    return _number(evidence.used.get("epochs")) or 0.0


def against_overfitting(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    """Weights that have learnt elsewhere, pictures cropped at random, and no more steps than have brought anything."""
    if not evidence.settings.get("pretrained", True) and not evidence.train("fine_tune_checkpoint"):
        yield "pretrained", True
    if evidence.train("random_crop_image") is False:
        yield "train.random_crop_image", True
    read = evidence.reading
    if read is not None and read.unit == "step" and read.best < read.asked:
        yield "train.steps", read.best
        warm_up = _number(evidence.train("warmup_steps"))
        if warm_up is not None and warm_up > _warm_up(read.best):
            yield "train.warmup_steps", _warm_up(read.best)


def larger_pictures(evidence: Evidence) -> Changes:
    return [("model", _M640)] if evidence.model == _M320 else []


def with_model(evidence: Evidence, model: str) -> Changes:
    """Another network, without a checkpoint or a rate that only the one before can begin with."""
    changes: Changes = [("model", model)]
    if mark(evidence) and isinstance(evidence.settings.get("pretrained"), str):
        changes.append(("pretrained", True))
    if evidence.train("fine_tune_checkpoint"):
        changes.append(("train.fine_tune_checkpoint", None))
    known, rate = settings.MODELS.get(model), _number(evidence.train("learning_rate_base"))
    return [*changes, *(_rates(known.learning_rate) if known and rate and rate > known.learning_rate else [])]


def as_can_be_said(found: Advice, evidence: Evidence) -> Advice:
    """Without changes that a pipeline.config of the user's own would have to say: those are work by hand."""
    if not evidence.train("pipeline_config"):
        return found
    kept = (change for change in found.changes if change[0].startswith(("data.", "detect.", *_BESIDE_OWN_CONFIG)))
    return replace(found, changes=tuple(kept))


def _lower(evidence: Evidence, rate: float | None) -> float | None:
    """A third of a rate, and no more than what trains the model in small batches."""
    known = settings.MODELS.get(evidence.model)
    rates = [*([rate / 3] if rate else []), *([known.learning_rate] if known else [])]
    return float(f"{min(rates):.2g}") if rates else None


def _gentler(evidence: Evidence, steps: int, rate: float | None) -> Changes:
    if rate is None:
        return []
    changes = _rates(rate)
    if (_number(evidence.train("warmup_steps")) or 0) < _warm_up(steps):
        changes.append(("train.warmup_steps", _warm_up(steps)))
    if not evidence.train("gradient_clipping_by_norm"):
        changes.append(("train.gradient_clipping_by_norm", _CLIPPED))
    return changes


def _rates(rate: float) -> Changes:
    warm_up = float(f"{rate * _A_THIRD:.2g}")
    return [("train.learning_rate_base", rate), ("train.warmup_learning_rate", warm_up)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _warm_up(steps: int) -> int:
    return min(_MOST_WARM_UP, steps // 10)


def _longer(steps: int) -> int:
    return min(max(_USUAL, 2 * steps), MOST_STEPS)
