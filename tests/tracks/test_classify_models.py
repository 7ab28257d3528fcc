"""torchvision's backbones in blocks: the same features as its own, what is frozen, what random weights depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from yolo_pipeline.attempt import DenseLayer
from yolo_pipeline.settings import BadSettingError
from yolo_pipeline.settings.classify import MODELS
from yolo_pipeline.tracks.classify.models import (
    Classifier,
    Freeze,
    assemble,
    build,
    freeze,
    normalisation,
    training_mode,
)
from yolo_pipeline.tracks.classify.pixels import to_tensor

HEAD = (DenseLayer(units=6, dropout=0.5), DenseLayer(units=4))


def torchvisions_own(model: str, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """torchvision's model with these weights, in eval mode, that ends with its pooled features; of VGG, their mean."""
    options = {"aux_logits": False, "transform_input": True, "init_weights": False} if model == "inception_v3" else {}
    with torch.device("meta"):
        network: Any = torchvision.models.get_model(model, weights=None, **options)
    if model.startswith("convnext"):
        network.classifier[2] = nn.Identity()
    elif hasattr(network, "fc"):
        network.fc = nn.Identity()
    else:
        network.classifier = nn.Identity()
    if model.startswith("vgg"):
        network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


def with_any_weights(model: str) -> Classifier:
    """In eval mode, with no value that is what random weights begin with, statistics of normalisation among them."""
    with torch.device("meta"):
        classifier = assemble(model, HEAD, 3)
    drawn = torch.Generator().manual_seed(0)
    for name, tensor in classifier.to_empty(device="cpu").state_dict().items():
        if not tensor.is_floating_point():
            tensor.fill_(1)
        elif tensor.ndim > 1:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=drawn)
        elif name.endswith("running_var"):
            tensor.uniform_(0.4, 1.2, generator=drawn)
        elif name.endswith("weight"):
            tensor.uniform_(0.5, 1.5, generator=drawn)
        else:
            tensor.normal_(0, 0.1, generator=drawn)
    return classifier.eval()


def test_the_models_are_counted() -> None:
    assert len(MODELS) == 17


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_torchvisions_own_in_blocks(model: str) -> None:
    facts = MODELS[model]
    classifier = with_any_weights(model)
    state = classifier.state_dict()
    own = torchvisions_own(model, {key: state[ours] for key, ours in classifier.published.items()})
    published = torchvision.models.get_model_weights(model)[facts.weights].transforms()
    pictures = np.random.default_rng(0).integers(0, 256, (2, facts.least, facts.least, 3), dtype=np.uint8)
    values = torch.from_numpy(pictures[..., ::-1].copy()).permute(0, 3, 1, 2).contiguous().float() / 255
    mean, std = (torch.tensor(of).view(3, 1, 1) for of in (published.mean, published.std))
    pixels = to_tensor(list(pictures), facts.least, normalisation(model))
    with torch.inference_mode():
        wanted = own((values - mean) / std)
        features = classifier.up_to(pixels, facts.blocks)
        halfway = classifier.up_to(pixels, facts.blocks // 2)
        kept = halfway.clone()
        logits = classifier.onward(halfway, facts.blocks // 2)
        of_features = classifier.onward(features, facts.blocks)
    assert features.shape == wanted.shape == (2, classifier.head[0].in_features)
    scale = float(wanted.abs().max())
    assert float((wanted[0] - wanted[1]).abs().max()) > 0.01 * scale
    assert torch.allclose(features, wanted, rtol=1e-4, atol=1e-4 * scale)
    assert torch.equal(halfway, kept)
    assert torch.equal(of_features, logits)
    assert logits.shape == (2, 3)
    assert (len(classifier.blocks), len(classifier.names_of_blocks)) == (facts.blocks, facts.blocks)
    assert freeze(classifier, {"all_but_layers": facts.layers}) == 0
    with pytest.raises(BadSettingError):
        freeze(classifier, {"all_but_layers": facts.layers + 1})


@pytest.mark.parametrize("model", MODELS)
def test_sizes_and_weights_are_those_that_torchvision_publishes(model: str) -> None:
    known = torchvision.models.get_model_weights(model)
    assert known.DEFAULT.name == MODELS[model].weights
    assert known.DEFAULT.transforms().crop_size == [MODELS[model].size]
    assert MODELS[model].least >= min(known.DEFAULT.meta["min_size"])


@pytest.mark.parametrize(
    ("model", "mean", "std"),
    [
        ("resnet50", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("vgg16", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("inception_v3", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ],
)
def test_normalisation(model: str, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    assert (normalisation(model).mean, normalisation(model).std) == (mean, std)


def test_normalisation_in_words() -> None:
    assert str(normalisation("resnet50")) == "mean 0.485 0.456 0.406, std 0.229 0.224 0.225"


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        pytest.param("resnet18", 11_689_512, id="as torchvision says of resnet18"),
        pytest.param("resnet50", 25_557_032, id="as torchvision says of resnet50"),
        pytest.param("efficientnet_b0", 5_288_548, id="as torchvision says of efficientnet_b0"),
        pytest.param("convnext_tiny", 28_589_128, id="as torchvision says of convnext_tiny"),
        pytest.param("vgg16", 14_714_688 + 512_000 + 1000, id="vgg16 as Keras counts it without its top"),
        pytest.param("inception_v3", 23_834_568, id="inception_v3 without its second classifier"),
        pytest.param("mobilenet_v3_small", 927_008 + 576_000 + 1000, id="mobilenet_v3_small on its pooled features"),
    ],
)
def test_parameters(model: str, parameters: int) -> None:
    assert sum(parameter.numel() for parameter in build(model, (), 1000, seed=0).parameters()) == parameters


def test_names_of_blocks() -> None:
    assert build("resnet18", (), 2, seed=0).names_of_blocks == (
        "stem", "layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1", "layer4.0", "layer4.1",
    )  # fmt: skip
    assert build("vgg11", (), 2, seed=0).names_of_blocks == ("block1", "block2", "block3", "block4", "block5")


class TestHead:
    def test_dense_layers_with_relu_and_dropout_then_the_classes(self) -> None:
        head = build("resnet18", HEAD, 3, seed=0).head
        assert [type(layer).__name__ for layer in head] == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
        assert [(layer.in_features, layer.out_features) for layer in head if isinstance(layer, nn.Linear)] == [
            (512, 6),
            (6, 4),
            (4, 3),
        ]
        assert head[2].p == 0.5

    def test_without_layers_it_is_that_of_the_classes(self) -> None:
        assert [type(layer).__name__ for layer in build("resnet18", (), 3, seed=0).head] == ["Linear"]


class TestRandomWeights:
    @pytest.mark.parametrize("model", ["resnet18", "vgg11", "mobilenet_v3_small"])
    def test_follow_from_the_seed_alone(self, model: str) -> None:
        torch.manual_seed(7)
        before = torch.random.get_rng_state()
        first = build(model, HEAD, 3, seed=1).state_dict()
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.manual_seed(8)
        again, other = build(model, HEAD, 3, seed=1).state_dict(), build(model, HEAD, 3, seed=2).state_dict()
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert not torch.equal(first["head.0.weight"], other["head.0.weight"])
        assert not torch.equal(first["blocks.0.0.weight"], other["blocks.0.0.weight"])

    def test_of_the_backbone_do_not_depend_on_the_head(self) -> None:
        one, other = build("resnet18", (), 3, seed=1), build("resnet18", HEAD, 9, seed=1)
        assert torch.equal(one.state_dict()["blocks.8.0.conv2.weight"], other.state_dict()["blocks.8.0.conv2.weight"])

    def test_of_vgg_keep_the_scale_of_what_goes_through(self) -> None:
        classifier = build("vgg11", (), 2, seed=0).eval()
        with torch.inference_mode():
            features = classifier.up_to(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), 5)
        assert 0.01 < float(features.std()) < 100


class TestFreezing:
    @pytest.mark.parametrize(
        ("asked", "first", "trainable"),
        [
            pytest.param("all", 9, [], id="the head alone trains"),
            pytest.param("none", 0, None, id="everything trains"),
            pytest.param({"all_but_blocks": 1}, 8, ["conv1", "bn1", "conv2", "bn2"], id="the last block"),
            pytest.param({"all_but_blocks": 9}, 0, None, id="as many blocks as there are"),
            pytest.param({"all_but_layers": 1}, 8, ["bn2"], id="the last layer"),
            pytest.param({"all_but_layers": 3}, 8, ["bn1", "conv2", "bn2"], id="a part of a block"),
            pytest.param({"all_but_layers": 40}, 0, None, id="as many layers as there are"),
        ],
    )  # fmt: skip
    def test_of_resnet18(self, asked: Freeze, first: int, trainable: list[str] | None) -> None:
        classifier = build("resnet18", (), 2, seed=0)
        freeze(classifier, "all")
        assert freeze(classifier, asked) == first
        trains = {name for name, parameter in classifier.named_parameters() if parameter.requires_grad}
        assert {"head.0.weight", "head.0.bias"} <= trains
        of_backbone = {name for name in trains if name.startswith("blocks.")}
        everything = {name for name, _ in classifier.named_parameters() if name.startswith("blocks.")}
        if trainable is None:
            assert of_backbone == everything
        else:
            assert {name.split(".")[3] for name in of_backbone} == set(trainable)
            assert all(name.startswith("blocks.8.") for name in of_backbone)

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            pytest.param({"all_but_blocks": 10}, "train.freeze: all_but_blocks is 10, but resnet18 has 9 blocks below its head", id="blocks"),
            pytest.param({"all_but_layers": 41}, "train.freeze: all_but_layers is 41, but resnet18 has 40 layers below its head", id="layers"),
        ],
    )  # fmt: skip
    def test_beyond_the_model(self, asked: Freeze, said: str) -> None:
        with pytest.raises(BadSettingError) as caught:
            freeze(build("resnet18", (), 2, seed=0), asked)
        assert str(caught.value) == f"{said}. Say fewer, or none to freeze nothing"

    def test_the_scale_of_a_convnext_block_comes_after_its_layers(self) -> None:
        classifier = build("convnext_tiny", (), 2, seed=0)
        assert freeze(classifier, {"all_but_layers": 2}) == 21
        trains = {name for name, parameter in classifier.named_parameters() if parameter.requires_grad}
        last = len(classifier.blocks) - 1
        assert trains == {f"blocks.{last}.{name}" for name in ("0.layer_scale", "2.weight", "2.bias")} | {
            "head.0.weight",
            "head.0.bias",
        }

    @pytest.mark.parametrize(
        ("asked", "moving"),
        [
            pytest.param("all", [], id="all frozen"),
            pytest.param({"all_but_blocks": 1}, ["blocks.8.0.bn1", "blocks.8.0.bn2"], id="the last block trains"),
            pytest.param({"all_but_layers": 1}, ["blocks.8.0.bn2"], id="a part of a block trains"),
        ],
    )
    def test_frozen_batch_normalisation_keeps_its_statistics(self, asked: Freeze, moving: list[str]) -> None:
        classifier = build("resnet18", HEAD, 2, seed=0)
        training_mode(classifier, freeze(classifier, asked))
        norms = {name: layer for name, layer in classifier.named_modules() if isinstance(layer, nn.BatchNorm2d)}
        before = {name: (layer.running_mean.clone(), layer.running_var.clone()) for name, layer in norms.items()}
        pixels = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        nn.functional.cross_entropy(classifier(pixels), torch.tensor([0, 1, 0, 1])).backward()
        moved = [
            name
            for name, layer in norms.items()
            if not (
                torch.equal(layer.running_mean, before[name][0]) and torch.equal(layer.running_var, before[name][1])
            )
        ]
        assert moved == moving
        assert classifier.head.training
        assert all((parameter.grad is not None) == parameter.requires_grad for parameter in classifier.parameters())
