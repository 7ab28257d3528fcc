"""Features of random layers, each brought to mean 0 and standard deviation 1 over the training pictures.

What comes out of many random layers is ten times too large, or a billion times too small, and nearly the same for every
picture; a head would learn nothing of it at any usual rate. Published weights give features that need none of this.
Once the head is trained, its first layer takes the standardising over, so that the model is asked as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from yolo_pipeline.tracks.classify.features import Numbers, Source
from yolo_pipeline.tracks.classify.models import Classifier

_AT_ONCE = 64
_CONSTANT = 1e-6  # of its mean: a feature that differs by less between pictures says nothing but noise


@dataclass(frozen=True, slots=True)
class Standard:
    """What is taken from each feature, and what the rest is multiplied by: (F,) float32 on the CPU."""

    mean: torch.Tensor
    factor: torch.Tensor


class Standardised:
    """A source whose features are standardised as they are asked for."""

    def __init__(self, source: Source, standard: Standard) -> None:
        self._source = source
        self.labels, self.draws = source.labels, source.draws
        self._mean, self._factor = (value.to(source.labels.device) for value in (standard.mean, standard.factor))

    def batches(self, batches: Numbers, draw: int) -> Iterator[torch.Tensor]:
        for features in self._source.batches(batches, draw):
            yield (features - self._mean) * self._factor


def standard_of(source: Source) -> Standard:
    """That of the features (N, F) of a source, in its first draw."""
    batches = torch.split(torch.arange(len(source.labels)), _AT_ONCE)
    features = torch.cat([some.cpu() for some in source.batches(batches, 0)]).double()
    deviation, mean = torch.std_mean(features, dim=0)
    says = deviation > _CONSTANT * mean.abs()
    factor = torch.where(says, 1 / torch.where(says, deviation, 1), 0)
    return Standard(mean.float(), factor.float())


def take_over(classifier: Classifier, standard: Standard) -> None:
    """Lets the first layer of the head do what `Standardised` did before it."""
    first = classifier.head[0]
    assert isinstance(first, torch.nn.Linear)
    with torch.no_grad():
        weight = first.weight.double().cpu() * standard.factor.double()
        bias = first.bias.double().cpu() - weight @ standard.mean.double()
        first.weight.copy_(weight)
        first.bias.copy_(bias)
