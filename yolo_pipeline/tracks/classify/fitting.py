"""Training of what is not frozen of a classifier, epoch by epoch.

What an epoch does depends on the weights before it, the seed and its number alone: a training that goes on from any
epoch ends with the same weights as one that was never interrupted. Figures are Keras': loss and accuracy of train are
the mean over the batches while they are learnt, with dropout; those of val are taken after the epoch, without.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from yolo_pipeline.tracks.classify.features import Source
from yolo_pipeline.tracks.classify.models import Classifier, training_mode

Row = dict[str, float]
Tensors = dict[str, torch.Tensor]

_LEAST_RATE = 0.01  # share of lr0 that cos_lr ends with, as Ultralytics' lrf
_RHO = 0.9  # of RMSprop, as in Keras
_EPOCHS_OF_A_SEED = 10_000_019  # more than an attempt may ask for


class NoLongerNumbers(ArithmeticError):
    """The loss of an epoch is infinite or NaN."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train, as settings have it.

    Attributes:
        momentum: of SGD; beta 1 of Adam and AdamW. RMSprop has none.
        class_weights: what a picture of each class counts in the loss of train, (C,); None: all the same.
        patience: epochs without a better `monitor` after which training stops; 0: it never does.
        restore_best: whether the weights to keep are those of the best epoch; else those of the last.
    """

    epochs: int
    batch: int
    optimizer: str
    lr0: float
    momentum: float
    weight_decay: float
    cos_lr: bool
    label_smoothing: float
    class_weights: tuple[float, ...] | None
    monitor: str
    patience: int
    restore_best: bool
    seed: int


def plan_of(train: Mapping[str, Any], class_weights: tuple[float, ...] | None) -> Plan:
    """That of an attempt's training settings."""
    same = ("epochs", "batch", "optimizer", "lr0", "momentum", "weight_decay", "cos_lr", "label_smoothing", "seed")
    return Plan(**{key: train[key] for key in same}, **train["early_stopping"], class_weights=class_weights)


class Fitting:
    """A training under way.

    Attributes:
        rows: what was measured in each epoch so far: `train/loss` and so on.
        best: the epoch (from 1) whose weights are to be kept; 0 before the first.
    """

    def __init__(self, classifier: Classifier, first: int, plan: Plan, device: torch.device) -> None:
        """
        Args:
            first: the first block of which anything trains.
        """
        self.rows: list[Row] = []
        self.best = 0
        self._watched_best = 0
        self._classifier, self._first, self._plan, self._device = classifier, first, plan, device
        self._optimizer = _optimizer(classifier, plan, device)
        self._of_best: Tensors = {}
        weights = plan.class_weights
        self._class_weights = None if weights is None else torch.tensor(weights, device=device)

    @property
    def ended(self) -> bool:
        """Whether all epochs were done, or the last ones brought nothing better."""
        done, patience = len(self.rows), self._plan.patience
        waited = done - self._watched_best if self._watched_best else 0
        return done >= self._plan.epochs or 0 < patience <= waited

    def epoch(self, train: Source, val: Source | None, tell: Callable[[float], None]) -> Row:
        """One more; what was measured in it, also in `rows`.

        Args:
            tell: is called with the share of the epoch's batches that are done.

        Raises:
            NoLongerNumbers: the weights are of no use any more.
        """
        number = len(self.rows) + 1
        for group in self._optimizer.param_groups:
            group["lr"] = _rate(self._plan, number)
        row = self._learnt(train, number, tell)
        if val is not None:
            row |= self._seen(val)
        if not all(map(math.isfinite, row.values())):
            raise NoLongerNumbers(f"epoch {number}")
        self.rows.append(row)
        self._note_best()
        return row

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and plain values."""
        return {
            "rows": self.rows,
            "best": self.best,
            "watched_best": self._watched_best,
            "tensors": self._tensors(),
            "of_best": self._of_best,
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """
        Raises:
            KeyError, RuntimeError, TypeError, ValueError: it is that of another training.
        """
        self._load(state["tensors"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.rows, self._of_best = [dict(row) for row in state["rows"]], dict(state["of_best"])
        self.best, self._watched_best = int(state["best"]), int(state["watched_best"])

    def take_best(self) -> None:
        """Gives the classifier the weights that are to be kept."""
        if self._of_best:
            self._load(self._of_best)

    def _learnt(self, source: Source, number: int, tell: Callable[[float], None]) -> Row:
        """One pass over the training pictures, in an order of the epoch's own."""
        training_mode(self._classifier, self._first)
        torch.manual_seed(self._plan.seed * _EPOCHS_OF_A_SEED + number)
        order = torch.randperm(len(source.labels))
        batches = _batches(order, self._plan.batch)
        loss, right = torch.zeros((), device=self._device), torch.zeros((), dtype=torch.int64, device=self._device)
        entering = source.batches(batches, (number - 1) % source.draws)
        for done, (numbers, inputs) in enumerate(zip(batches, entering, strict=True), start=1):
            labels = source.labels[numbers.to(self._device)]
            logits = self._classifier.onward(inputs, self._first)
            losses = self._losses(logits, labels)
            if self._class_weights is not None:
                losses = losses * self._class_weights[labels]
            self._optimizer.zero_grad(set_to_none=True)
            losses.mean().backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            loss += losses.detach().sum()
            right += (logits.detach().argmax(1) == labels).sum()
            tell(done / len(batches))
        return {"train/loss": loss.item() / len(order), "train/accuracy": right.item() / len(order)}

    @torch.no_grad()
    def _seen(self, source: Source) -> Row:
        """What the classifier makes of the val pictures as it is."""
        self._classifier.eval()
        batches = _split(torch.arange(len(source.labels)), self._plan.batch)
        loss, right = 0.0, 0
        for numbers, inputs in zip(batches, source.batches(batches, 0), strict=True):
            labels = source.labels[numbers.to(self._device)]
            logits = self._classifier.onward(inputs, self._first)
            loss += self._losses(logits, labels).sum().item()
            right += int((logits.argmax(1) == labels).sum().item())
        return {"val/loss": loss / len(source.labels), "val/accuracy": right / len(source.labels)}

    def _losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B,); with the labels smoothed in train and val, as Keras has it."""
        smoothing = self._plan.label_smoothing
        return functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)

    def _note_best(self) -> None:
        """Equal values are no better: of them the first is the best, as in Keras."""
        number, column = len(self.rows), self._plan.monitor.replace("_", "/")
        if column not in self.rows[-1]:
            self.best = number
            return
        gained = self.rows[-1][column] - self.rows[self._watched_best - 1][column]
        better = self._watched_best == 0 or (gained < 0 if column == "val/loss" else gained > 0)
        if better:
            self._watched_best = number
        if not self._plan.restore_best:
            self.best = number
        elif better:
            self.best = number
            self._of_best = {name: tensor.clone() for name, tensor in self._tensors().items()}

    def _tensors(self) -> Tensors:
        """What training may change, as it is."""
        state: Tensors = self._classifier.state_dict()
        return {name: tensor for name, tensor in state.items() if self._is_above(name)}

    def _is_above(self, name: str) -> bool:
        part, _, rest = name.partition(".")
        return part == "head" or int(rest.partition(".")[0]) >= self._first

    def _load(self, tensors: Tensors) -> None:
        own = self._tensors()
        if own.keys() != tensors.keys():
            raise KeyError(*sorted(own.keys() ^ tensors.keys())[:1])
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def steps_of(pictures: int, batch: int) -> int:
    """Steps of an epoch."""
    return len(_batches(torch.arange(pictures), batch))


def _rate(plan: Plan, number: int) -> float:
    """The learning rate of an epoch, from 1."""
    if not plan.cos_lr:
        return plan.lr0
    falling = (1 + math.cos(math.pi * (number - 1) / plan.epochs)) / 2
    return plan.lr0 * (_LEAST_RATE + (1 - _LEAST_RATE) * falling)


def _batches(order: torch.Tensor, size: int) -> tuple[torch.Tensor, ...]:
    """The order in batches; a single picture left over goes with the last, as batch normalisation wants two."""
    batches = _split(order, size)
    if len(batches) > 1 and len(batches[-1]) == 1:
        return (*batches[:-2], torch.cat(batches[-2:]))
    return batches


def _optimizer(classifier: Classifier, plan: Plan, device: torch.device) -> torch.optim.Optimizer:
    trained = [parameter for parameter in classifier.parameters() if parameter.requires_grad]
    fused = device.type in ("cpu", "cuda")
    match plan.optimizer:
        case "SGD":
            return torch.optim.SGD(
                trained, plan.lr0, momentum=plan.momentum, weight_decay=plan.weight_decay, fused=fused
            )
        case "RMSprop":
            return torch.optim.RMSprop(trained, plan.lr0, alpha=_RHO, weight_decay=plan.weight_decay)
    kind = torch.optim.AdamW if plan.optimizer == "AdamW" else torch.optim.Adam
    betas = (plan.momentum, 0.999)
    return kind(trained, plan.lr0, betas=betas, weight_decay=plan.weight_decay, fused=fused)


def _split(order: torch.Tensor, size: int) -> tuple[torch.Tensor, ...]:
    return tuple(order[start : start + size] for start in range(0, len(order), size))
