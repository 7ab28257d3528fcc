"""torchvision's backbones cut into blocks, under a head of dense layers.

A block takes feature maps to feature maps; the last one ends with global average pooling. So what lies below a block
can be computed once and kept, and training can begin at any block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torchvision
from torch import nn

from yolo_pipeline.attempt import DenseLayer
from yolo_pipeline.settings import BadSettingError

Freeze = Literal["all", "none"] | Mapping[str, int]

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

Blocks = dict[str, nn.Module]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What is taken from pixels, and what the rest is divided by: red, green, blue, of values from 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __str__(self) -> str:
        mean, std = (" ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, std {std}"


class Classifier(nn.Module):
    """Pixels (N, 3, S, S) float32, normalised -> logits (N, C).

    Attributes:
        model: name of the backbone, as settings have it.
        blocks: of the backbone, in order; none changes what it is given. The last one gives features (N, F).
        head: dense layers with ReLU and dropout, then that of the classes.
        published: key of a tensor of the backbone as torchvision publishes it -> its key in `state_dict`, in
            torchvision's order.
    """

    def __init__(self, model: str, blocks: Blocks, head: nn.Sequential, published: Mapping[str, str]) -> None:
        super().__init__()
        self.model = model
        self.names_of_blocks = tuple(blocks)
        self.blocks = nn.ModuleList(blocks.values())
        self.head = head
        self.published = dict(published)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.onward(pixels, 0)

    def up_to(self, pixels: torch.Tensor, block: int) -> torch.Tensor:
        """What enters a block, by its number; of their count, the features (N, F) that enter the head."""
        for module in self.blocks[:block]:
            pixels = module(pixels)
        return pixels

    def onward(self, features: torch.Tensor, block: int) -> torch.Tensor:
        """Logits (N, C) of what enters a block."""
        for module in self.blocks[block:]:
            features = module(features)
        logits: torch.Tensor = self.head(features)
        return logits


def build(model: str, head: Sequence[DenseLayer], classes: int, seed: int) -> Classifier:
    """A classifier with random weights, the same for the same seed, in training mode; everything in it trains.

    Args:
        model: one of `settings.classify.MODELS`.
        head: the dense layers below that of the classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return assemble(model, head, classes)


def assemble(model: str, head: Sequence[DenseLayer], classes: int) -> Classifier:
    """As `build`, drawing from torch's own generator; under `torch.device("meta")` nothing takes memory."""
    network = _network(model)
    blocks = _CUTS[type(network).__name__](network)
    parts = nn.ModuleList(blocks.values()).state_dict(keep_vars=True)
    ours = {id(tensor): f"blocks.{key}" for key, tensor in parts.items()}
    known = network.state_dict(keep_vars=True).items()
    published = {key: ours[id(tensor)] for key, tensor in known if id(tensor) in ours}
    return Classifier(model, blocks, _dense(_features(network), head, classes), published)


def freeze(classifier: Classifier, asked: Freeze) -> int:
    """Sets what of the backbone trains; the head always does.

    Layers are modules with parameters of their own, in order of the network: a convolution, a batch normalisation.

    Returns:
        The first block of which anything trains; the count of blocks where the head alone does.

    Raises:
        BadSettingError: it asks for more than the backbone has.
    """
    blocks = list(classifier.blocks)
    classifier.requires_grad_(True)
    for layer in _frozen(classifier, asked):
        layer.requires_grad_(False)
    trains = (any(parameter.requires_grad for parameter in block.parameters()) for block in blocks)
    return next((number for number, any_of_it in enumerate(trains) if any_of_it), len(blocks))


def training_mode(classifier: Classifier, first: int) -> None:
    """`train()`, but what is frozen stays as it is when asked: batch normalisation keeps its statistics.

    Args:
        first: the block that `freeze` gave.
    """
    classifier.train()
    for block in classifier.blocks[:first]:
        block.eval()
    for layer in _layers(classifier.blocks[first:]):
        layer.training = any(parameter.requires_grad for parameter in layer.parameters(recurse=False))


def normalisation(model: str) -> Normalisation:
    """As the pixels were that a model's published weights were trained on.

    torchvision's inception_v3 takes pixels as the others do and makes halves of them itself (`transform_input`).
    """
    return Normalisation(*(_HALVES if model == "inception_v3" else _IMAGENET))


def _frozen(classifier: Classifier, asked: Freeze) -> Sequence[nn.Module]:
    if not isinstance(asked, Mapping):
        return list(classifier.blocks) if asked == "all" else []
    ((what, count),) = asked.items()
    of_backbone = list(classifier.blocks) if what == "all_but_blocks" else list(_layers(classifier.blocks))
    if count > len(of_backbone):
        word = what.removeprefix("all_but_")
        reason = f"{what} is {count}, but {classifier.model} has {len(of_backbone)} {word} below its head"
        raise BadSettingError(f"train.freeze: {reason}. Say fewer, or none to freeze nothing")
    return of_backbone[: len(of_backbone) - count]


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """Modules with parameters of their own; that of a whole (ConvNeXt's scale of a block) after those of its parts."""
    for part in module.children():
        yield from _layers(part)
    if next(module.parameters(recurse=False), None) is not None:
        yield module


def _network(model: str) -> Any:
    """torchvision's own, with random weights; VGG's dense layers, which are 120 million, take no memory."""
    if not model.startswith("vgg"):
        options = {"init_weights": True, "aux_logits": False} if model == "inception_v3" else {}
        return torchvision.models.get_model(model, weights=None, **options)
    with torch.device("meta"):
        network = torchvision.models.get_model(model, weights=None, init_weights=False)
    network.features.to_empty(device=torch.get_default_device())
    for layer in network.features:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:  # as torchvision 0.29 models/vgg.py does
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def _features(network: Any) -> int:
    """How many there are, by what torchvision's first dense layer takes: of VGG, seven by seven of each."""
    dense = network.fc if hasattr(network, "fc") else network.classifier
    first = next(part for part in dense.modules() if isinstance(part, nn.Linear))
    return first.in_features // (49 if isinstance(network, torchvision.models.VGG) else 1)


def _cut_resnet(network: Any) -> Blocks:
    stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    stages = {name: part for name, part in network.named_children() if name.startswith("layer")}
    residual = {f"{name}.{number}": block for name, stage in stages.items() for number, block in enumerate(stage)}
    return _pooled({"stem": stem, **residual})


def _cut_vgg(network: Any) -> Blocks:
    """The paper's five blocks, each of which ends with max pooling."""
    blocks: Blocks = {}
    layers: list[nn.Module] = []
    for layer in network.features:
        layers.append(layer)
        if isinstance(layer, nn.MaxPool2d):
            blocks[f"block{len(blocks) + 1}"] = nn.Sequential(*layers)
            layers = []
    return _pooled(blocks)


def _cut_inception(network: Any) -> Blocks:
    parts = dict(network.named_children())
    stem = nn.Sequential(*(part for name, part in parts.items() if name.startswith(("Conv2d", "maxpool"))))
    mixed = {name: part for name, part in parts.items() if name.startswith("Mixed")}
    return _pooled({"stem": stem, **mixed})


def _cut_features(network: Any, *after: nn.Module) -> Blocks:
    """Stem, the blocks of every stage, what lies between stages, the last convolution."""
    blocks: Blocks = {}
    for number, stage in enumerate(network.features):
        if _is_stage(stage):
            blocks.update({f"features.{number}.{place}": block for place, block in enumerate(stage)})
        else:
            blocks[f"features.{number}"] = stage
    return _pooled(blocks, *after)


def _is_stage(part: nn.Module) -> bool:
    """Whether it is a row of blocks, not a row of layers."""
    return isinstance(part, nn.Sequential) and all(next(block.children(), None) is not None for block in part)


def _cut_convnext(network: Any) -> Blocks:
    """Its last normalisation comes after pooling."""
    return _cut_features(network, network.classifier[0])


_CUTS: dict[str, Callable[[Any], Blocks]] = {
    "ResNet": _cut_resnet,
    "VGG": _cut_vgg,
    "Inception3": _cut_inception,
    "EfficientNet": _cut_features,
    "MobileNetV3": _cut_features,
    "ConvNeXt": _cut_convnext,
}
"""torchvision's class -> how it is cut."""


def _pooled(blocks: Blocks, *after: nn.Module) -> Blocks:
    *_, last = blocks
    return {**blocks, last: nn.Sequential(blocks[last], nn.AdaptiveAvgPool2d(1), *after, nn.Flatten(1))}


def _dense(width: int, layers: Sequence[DenseLayer], classes: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in layers:
        modules += [nn.Linear(width, layer.units), nn.ReLU()]
        modules += [nn.Dropout(layer.dropout)] if layer.dropout else []
        width = layer.units
    return nn.Sequential(*modules, nn.Linear(width, classes))
