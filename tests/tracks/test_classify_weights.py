"""best.safetensors and what a classifier starts from: round trips, other architectures, files from strangers."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from conftest import Told, write_yaml
from safetensors import safe_open

from yolo_pipeline.attempt import Attempt, DenseLayer
from yolo_pipeline.attempt import load as load_attempt
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.progress import silent
from yolo_pipeline.settings.classify import MODELS
from yolo_pipeline.tracks.classify.models import Classifier, build, normalisation
from yolo_pipeline.tracks.classify.published import Published, obtain, published
from yolo_pipeline.tracks.classify.weights import (
    About,
    find_pretrained,
    load,
    load_pretrained,
    read_about,
    save,
    settings_of,
)

SMALL = "mobilenet_v3_small"
HEAD = (DenseLayer(units=5, dropout=0.25),)


def about(model: str = SMALL, **other: Any) -> About:
    of = normalisation(model)
    return replace(About(model, ("chicken", "닭 고기"), 32, HEAD, of.mean, of.std, 7), **other)


@pytest.fixture(scope="module")
def resnet() -> Classifier:
    return build("resnet18", HEAD, 2, seed=0)


@pytest.fixture(scope="module")
def small() -> Classifier:
    return build(SMALL, HEAD, 2, seed=0)


@pytest.fixture
def saved(tmp_path: Path, small: Classifier) -> Path:
    file = tmp_path / "가중치" / "best.safetensors"
    save(file, small, about())
    return file


def same_backbone(one: Classifier, other: Classifier) -> bool:
    state, others = one.state_dict(), other.state_dict()
    return all(torch.equal(state[key], others[key]) for key in one.published.values())


class TestOurFile:
    @pytest.mark.parametrize("model", ["resnet18", "vgg11", "mobilenet_v3_small"])
    def test_is_read_as_it_was_saved(self, tmp_path: Path, model: str) -> None:
        classifier, said = build(model, HEAD, 2, seed=3), about(model, imgsz=64)
        save(tmp_path / "best.safetensors", classifier, said)
        again, said_again = load(tmp_path / "best.safetensors")
        assert said_again == said == read_about(tmp_path / "best.safetensors")
        state, other = classifier.state_dict(), again.state_dict()
        assert list(state) == list(other)
        assert all(torch.equal(state[key], other[key]) for key in state)
        assert not any(layer.training for layer in again.modules())
        pixels = torch.zeros(1, 3, 64, 64)
        with torch.inference_mode():
            assert torch.equal(again(pixels), classifier.eval()(pixels))

    def test_of_the_same_weights_has_the_same_bytes_and_nothing_beside(self, saved: Path, small: Classifier) -> None:
        first = saved.read_bytes()
        save(saved, small, about())
        assert saved.read_bytes() == first
        assert [file.name for file in saved.parent.iterdir()] == ["best.safetensors"]

    def test_names_tensors_as_torchvision_does(self, saved: Path) -> None:
        with safe_open(saved, framework="pt") as opened:
            keys = set(opened.keys())
        assert {"features.0.0.weight", "features.12.1.running_var", "head.0.weight", "head.3.bias"} <= keys
        assert not any(key.startswith("blocks.") for key in keys)

    def test_says_how_it_is_asked(self, saved: Path) -> None:
        assert settings_of(saved) == {
            "track": "classify",
            "model": "mobilenet_v3_small",
            "head": [{"units": 5, "dropout": 0.25}],
            "train": {"imgsz": 32},
        }


def rewritten(file: Path, said: Any = None, tensors: dict[str, torch.Tensor | None] | None = None) -> Path:
    """The file with another description, or other tensors; None takes one away."""
    there = safetensors.torch.load_file(file)
    for key, tensor in (tensors or {}).items():
        there.pop(key, None)
        if tensor is not None:
            there[key] = tensor
    with safe_open(file, framework="pt") as opened:
        metadata = dict(opened.metadata())
    (key,) = metadata
    if isinstance(said, Metadata):
        metadata = said
    elif said is not None:
        metadata[key] = said if isinstance(said, str) else json.dumps({**json.loads(metadata[key]), **said})
    other = file.with_name("other.safetensors")
    other.write_bytes(safetensors.torch.save(there, metadata))
    return other


class Metadata(dict[str, str]):
    """All of a file's metadata."""


def fault(file: Path) -> str:
    """What a user reads, with FILE for the path."""
    with pytest.raises(WeightsError) as caught:
        load(file)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(file), "FILE")


WRONG = "FILE: what it says of itself is wrong: "


class TestOurFileFromStrangers:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            pytest.param(Metadata(), "FILE: is no weights file of this track: it does not say what it is", id="no description"),
            pytest.param(Metadata(format="pt"), "FILE: is no weights file of this track: it does not say what it is", id="somebody else's"),
            pytest.param("{", f"{WRONG}all of it: Invalid JSON", id="no JSON"),
            pytest.param("[" * 100_000, f"{WRONG}all of it: Invalid JSON", id="nested too deep"),
            pytest.param("[]", f"{WRONG}all of it: ", id="a list"),
            pytest.param({"model": "resnet999"}, f"{WRONG}model: Value error, it is no model of this track", id="another model"),
            pytest.param({"model": ["resnet18"]}, f"{WRONG}model: ", id="a list of models"),
            pytest.param({"names": "chicken"}, f"{WRONG}names: ", id="a word for names"),
            pytest.param({"names": []}, f"{WRONG}names: ", id="no names"),
            pytest.param({"names": ["a", 3]}, f"{WRONG}names.1: ", id="a number for a name"),
            pytest.param({"names": ["a", "a"]}, f"{WRONG}names: Value error, it is no list of different class names", id="a name twice"),
            pytest.param({"names": ["a", "b\nerror: c"]}, f"{WRONG}names: Value error, it is no list of different class names", id="a name on two lines"),
            pytest.param({"names": ["a", ""]}, f"{WRONG}names: Value error", id="an empty name"),
            pytest.param({"imgsz": "32"}, f"{WRONG}imgsz: ", id="a word for a size"),
            pytest.param({"imgsz": 10**30}, f"{WRONG}imgsz: ", id="a size of thirty digits"),
            pytest.param({"imgsz": -1}, f"{WRONG}imgsz: ", id="a size below 0"),
            pytest.param({"imgsz": 31}, "FILE: says imgsz 31, which is too small for mobilenet_v3_small", id="a size too small"),
            pytest.param({"epoch": -1}, f"{WRONG}epoch: ", id="an epoch below 0"),
            pytest.param({"mean": [0.5, 0.5, 0.5]}, "FILE: says that pixels are normalised by mean 0.5 0.5 0.5, std 0.229 0.224 0.225, where mobilenet_v3_small has mean 0.485 0.456 0.406, std 0.229 0.224 0.225", id="another normalisation"),
            pytest.param({"std": [0.2, 0.2]}, f"{WRONG}std", id="two colours"),
            pytest.param({"std": [float("nan")] * 3}, "FILE: says that pixels are normalised by", id="normalised by nothing"),
            pytest.param({"head": [{"units": 0}]}, f"{WRONG}head.0.units: ", id="a layer of nothing"),
            pytest.param({"head": [{"units": 65536}] * 20}, "FILE: is damaged: head.0.weight is 5x576, not 65536x576", id="a promise of 300 gigabytes"),
            pytest.param({"head": [{"units": 1}] * 21}, f"{WRONG}head: ", id="too many layers"),
            pytest.param({"names": ["a", "b", "c"]}, "FILE: is damaged: head.3.weight is 2x5, not 3x5", id="more classes than it has"),
            pytest.param({"model": "mobilenet_v3_large"}, "FILE: is damaged: features.1.block.1.0.weight is missing", id="a larger model than it is"),
            pytest.param({"model": "vgg11"}, "FILE: is damaged: features.0.weight is missing", id="another family than it is"),
        ],
    )  # fmt: skip
    def test_descriptions(self, saved: Path, said: Any, expected: str) -> None:
        assert fault(rewritten(saved, said)).startswith(expected)

    @pytest.mark.parametrize(
        ("tensors", "expected"),
        [
            pytest.param({"features.0.0.weight": None}, "FILE: is damaged: features.0.0.weight is missing", id="missing"),
            pytest.param({"features.0.0.weight": torch.zeros(3)}, "FILE: is damaged: features.0.0.weight is 3, not 16x3x3x3", id="another shape"),
            pytest.param({"more": torch.zeros(3)}, "FILE: is damaged: more is nothing that it has", id="too much"),
            pytest.param({"features.0.1.weight": torch.full((16,), float("nan"))}, "FILE: features.0.1.weight: holds values that are no finite numbers", id="NaN"),
            pytest.param({"features.0.1.weight": torch.zeros(16, dtype=torch.int32)}, "FILE: features.0.1.weight: holds numbers of the kind torch.int32", id="whole numbers"),
            pytest.param({"features.0.1.weight": torch.zeros(16, dtype=torch.complex64)}, "FILE: features.0.1.weight: holds numbers of the kind torch.complex64", id="complex numbers"),
        ],
    )  # fmt: skip
    def test_tensors(self, saved: Path, tensors: dict[str, torch.Tensor | None], expected: str) -> None:
        assert fault(rewritten(saved, tensors=tensors)).startswith(expected)

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda data: b"", id="empty"),
            pytest.param(lambda data: b"# README\n" * 100, id="a text"),
            pytest.param(lambda data: data[:1000], id="a header cut off"),
            pytest.param(lambda data: data[:-1], id="one byte cut off"),
            pytest.param(lambda data: struct.pack("<Q", 2**63) + data[8:], id="a header of exabytes"),
            pytest.param(lambda data: struct.pack("<Q", 10) + b'{"a": NaN}', id="a header that is no JSON"),
            pytest.param(lambda data: data.replace(b'"F32"', b'"F31"'), id="numbers of no known kind"),
        ],
    )
    def test_bytes(self, saved: Path, damage: Callable[[bytes], bytes]) -> None:
        saved.write_bytes(damage(saved.read_bytes()))
        assert fault(saved).startswith("FILE: cannot be read as weights (")

    def test_no_file(self, tmp_path: Path) -> None:
        assert fault(tmp_path / "best.safetensors") == "FILE: there is no such file. Check the path"
        assert fault(tmp_path) == "FILE: there is no such file. Check the path"


def torchvision_file(classifier: Classifier, file: Path, **other: torch.Tensor) -> Path:
    """Its backbone as torchvision publishes one, with a layer of ImageNet's classes."""
    state = classifier.state_dict()
    tensors = {key: state[ours].clone() for key, ours in classifier.published.items()}
    torch.save({**tensors, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000), **other}, file)
    return file


class Hostile:
    """Its pickle runs a command where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.file}'",)


class TestPretrained:
    def test_fills_the_backbone_and_leaves_the_head(self, tmp_path: Path, resnet: Classifier) -> None:
        other = build("resnet18", (DenseLayer(units=9),), 4, seed=5)
        head = other.state_dict()["head.0.weight"].clone()
        assert not same_backbone(other, resnet)
        load_pretrained(other, "resnet18", torchvision_file(resnet, tmp_path / "a.pth"))
        assert same_backbone(other, resnet)
        assert torch.equal(other.state_dict()["head.0.weight"], head)

    def test_of_an_earlier_attempt(self, saved: Path, small: Classifier) -> None:
        other = build(SMALL, HEAD, 2, seed=5)
        head = other.state_dict()["head.0.weight"].clone()
        load_pretrained(other, SMALL, saved)
        assert same_backbone(other, small)
        assert torch.equal(other.state_dict()["head.0.weight"], head)

    def test_of_half_precision_and_of_old_files_without_counters(self, tmp_path: Path, resnet: Classifier) -> None:
        state = resnet.state_dict()
        kept = {key: ours for key, ours in resnet.published.items() if not key.endswith("num_batches_tracked")}
        torch.save({key: state[ours].half() for key, ours in kept.items()}, tmp_path / "a.pth")
        other = build("resnet18", (), 2, seed=5)
        load_pretrained(other, "resnet18", tmp_path / "a.pth")
        first = other.state_dict()["blocks.0.0.weight"]
        assert first.dtype == torch.float32
        assert torch.allclose(first, state["blocks.0.0.weight"], atol=1e-3)

    @pytest.mark.parametrize(
        ("model", "difference"),
        [
            pytest.param("resnet34", "layer1.2.conv1.weight is missing", id="a larger one of the family: missing"),
            pytest.param("resnet50", "layer1.0.conv1.weight is 64x64x3x3, not 64x64x1x1", id="other blocks: a shape"),
            pytest.param("vgg11", "features.0.weight is missing", id="another family"),
        ],
    )
    def test_of_another_architecture_names_the_first_key_that_differs(
        self, tmp_path: Path, resnet: Classifier, model: str, difference: str
    ) -> None:
        file = torchvision_file(resnet, tmp_path / "a.pth")
        with pytest.raises(WeightsError) as caught:
            load_pretrained(build(model, (), 2, seed=0), model, file)
        assert str(caught.value) == (
            f"{file}: is not of {model}: {difference}. "
            f"Name {published(model).name} of torchvision, or the best.safetensors of an attempt with {model}"
        )

    def test_of_a_larger_model_names_what_is_too_much(self, tmp_path: Path, resnet: Classifier) -> None:
        file = torchvision_file(build("resnet34", (), 2, seed=0), tmp_path / "a.pth")
        with pytest.raises(WeightsError, match=r"is not of resnet18: layer1\.2\.conv1\.weight is nothing that it has"):
            load_pretrained(resnet, "resnet18", file)

    def test_of_another_attempts_architecture(self, saved: Path) -> None:
        with pytest.raises(
            WeightsError, match=r"is of mobilenet_v3_small, not of vgg11\. Name vgg11-8a719046\.pth of torchvision"
        ):
            load_pretrained(build("vgg11", (), 2, seed=0), "vgg11", saved)

    def test_that_cannot_be_used_changes_nothing(self, tmp_path: Path) -> None:
        classifier = build("resnet18", (), 2, seed=0)
        before = {key: tensor.clone() for key, tensor in classifier.state_dict().items()}
        last = {"layer4.1.bn2.bias": torch.full((512,), float("inf"))}
        file = torchvision_file(build("resnet18", (), 2, seed=1), tmp_path / "a.pth", **last)
        with pytest.raises(
            WeightsError, match=r"a\.pth: layer4\.1\.bn2\.bias: holds values that are no finite numbers"
        ):
            load_pretrained(classifier, "resnet18", file)
        assert all(torch.equal(before[key], tensor) for key, tensor in classifier.state_dict().items())

    def test_code_in_a_file_is_not_run(self, tmp_path: Path, resnet: Classifier) -> None:
        trap = tmp_path / "pwned"
        torch.save({"conv1.weight": Hostile(trap)}, tmp_path / "a.pth")
        with pytest.raises(
            WeightsError, match=r"a\.pth: refers to code \((posix|nt)\.system\), which was not run\. Name a"
        ):
            load_pretrained(resnet, "resnet18", tmp_path / "a.pth")
        assert not trap.exists()

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            pytest.param(b"", "cannot be read", id="empty"),
            pytest.param(b"# README", "cannot be read", id="a text"),
            pytest.param([1, 2], "holds something else than tensors by name", id="a list"),
            pytest.param({}, "holds something else than tensors by name", id="nothing"),
            pytest.param({"conv1.weight": "x"}, "holds something else than tensors by name", id="words"),
            pytest.param({"model": {"conv1.weight": torch.zeros(1)}}, "holds something else than tensors by name", id="a checkpoint of training"),
            pytest.param({3: torch.zeros(1)}, "holds something else than tensors by name", id="a number for a name"),
            pytest.param({"conv1.weight": torch.zeros(2, 2).to_sparse()}, "holds something else than tensors by name", id="a sparse tensor"),
        ],
    )  # fmt: skip
    def test_that_is_no_state_dict(self, tmp_path: Path, resnet: Classifier, content: Any, said: str) -> None:
        file = tmp_path / "a.pth"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            torch.save(content, file)
        with pytest.raises(WeightsError) as caught:
            load_pretrained(resnet, "resnet18", file)
        assert str(caught.value).startswith(f"{file}: {said}")
        assert str(caught.value).endswith(
            "Name a .pth file as torchvision publishes it: a state_dict, saved by torch.save"
        )
        assert "\n" not in str(caught.value)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything goes through a proxy that is not there; torch's cache is empty."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def an_attempt(root: Path, **said: Any) -> Attempt:
    content = {"track": "classify", "model": "resnet18", "data": {"sources": [{"path": "digits"}]}, **said}
    write_yaml(root / "attempts" / "1.yaml", content)
    return load_attempt(root, 1)


class TestFinding:
    @pytest.mark.parametrize(
        ("freeze", "lines"),
        [
            pytest.param("all", ["the backbone is random, as `pretrained: false` says; what is frozen of it stays random"], id="frozen"),
            pytest.param({"all_but_blocks": 1}, ["the backbone is random, as `pretrained: false` says; what is frozen of it stays random"], id="partly frozen"),
            pytest.param("none", [], id="all of it trains"),
        ],
    )  # fmt: skip
    def test_from_scratch(self, tmp_path: Path, freeze: Any, lines: list[str]) -> None:
        told = Told()
        assert find_pretrained(an_attempt(tmp_path, pretrained=False, train={"freeze": freeze}), told) is None
        assert told.lines == lines

    def test_a_file_of_the_projects(self, tmp_path: Path, saved: Path) -> None:
        told = Told()
        attempt = an_attempt(tmp_path, weights=saved.relative_to(tmp_path).as_posix())
        assert find_pretrained(attempt, told) == saved
        assert told.lines == [
            "starting from best.safetensors; pictures are normalised as for ImageNet weights of resnet18: "
            "mean 0.485 0.456 0.406, std 0.229 0.224 0.225"
        ]

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            pytest.param("a.pth", None, "there is no such file. Put it there, or name another one (weights: in the attempt)", id="not there"),
            pytest.param("resnet50.h5", b"x", "is no weights file of this track. Name a .pth file as torchvision publishes it, or the best.safetensors of an attempt", id="Keras' file"),
            pytest.param("resnet50-0676ba61.pth", b"half", "is not what was published: its sha256 does not begin with 0676ba61, as its name says. Remove it, and fetch it again (an interrupted download?)", id="an interrupted download"),
        ],
    )  # fmt: skip
    def test_a_file_that_cannot_be_used(self, tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError) as caught:
            find_pretrained(an_attempt(tmp_path, weights=name), silent)
        assert str(caught.value) == f"{tmp_path / name}: {said}"

    @pytest.mark.usefixtures("no_network")
    def test_without_network(self, tmp_path: Path) -> None:
        told = Told()
        with pytest.raises(WeightsError) as caught:
            find_pretrained(an_attempt(tmp_path), told)
        assert str(caught.value) == (
            f"{tmp_path / 'weights' / 'resnet18-f37072fd.pth'}: the pretrained weights are not there and cannot be "
            "fetched (no network?). Put resnet18-f37072fd.pth there, or start from scratch with `pretrained: false` "
            "in the attempt"
        )
        assert told.lines[0] == (
            "fetching the pretrained weights resnet18-f37072fd.pth (about 45 MB, from download.pytorch.org) "
            "to weights/resnet18-f37072fd.pth"
        )
        assert told.lines[1].startswith("that failed: ")
        assert not list((tmp_path / "weights").iterdir())

    @pytest.mark.usefixtures("no_network")
    def test_a_damaged_file_in_the_projects_folder_is_not_used(self, tmp_path: Path) -> None:
        file = tmp_path / "weights" / "resnet18-f37072fd.pth"
        file.parent.mkdir()
        file.write_bytes(b"half")
        with pytest.raises(WeightsError, match="is not what was published: its sha256 does not begin with f37072fd"):
            find_pretrained(an_attempt(tmp_path), silent)
        assert file.read_bytes() == b"half"

    @pytest.mark.parametrize("model", MODELS)
    def test_every_model_has_published_weights_with_a_hash_in_their_name(self, model: str) -> None:
        weights = published(model)
        assert weights.version == MODELS[model].weights
        assert weights.address.startswith("https://")
        assert weights.name.startswith(model)
        assert weights.name[-13] == "-"
        assert weights.size.endswith(" MB")


CONTENT = b"weights" * 100
NAME = f"net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


@pytest.fixture
def server(tmp_path: Path, no_network: None) -> Iterator[str]:
    """Address of a server of the files in tmp_path / "site"."""
    (tmp_path / "site").mkdir()
    handler = functools.partial(_Handler, directory=str(tmp_path / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class TestFetching:
    def test_is_said_and_done_once(self, tmp_path: Path, server: str) -> None:
        (tmp_path / "site" / NAME).write_bytes(CONTENT)
        told, weights = Told(), Published("IMAGENET1K_V1", f"{server}/{NAME}", "about 1 MB")
        file = obtain(weights, tmp_path / "weights", told)
        assert file == tmp_path / "weights" / NAME
        assert file.read_bytes() == CONTENT
        assert told.lines == [f"fetching the pretrained weights {NAME} (about 1 MB, from 127.0.0.1) to weights/{NAME}"]
        assert [entry.name for entry in file.parent.iterdir()] == [NAME]
        (tmp_path / "site" / NAME).unlink()
        assert obtain(weights, tmp_path / "weights", told) == file
        assert len(told.lines) == 1

    def test_torchs_own_cache_is_used(self, tmp_path: Path, server: str) -> None:
        there = tmp_path / "torch" / "hub" / "checkpoints" / NAME
        there.parent.mkdir(parents=True)
        there.write_bytes(CONTENT)
        assert obtain(Published("V1", f"{server}/{NAME}"), tmp_path / "weights", silent) == there
        assert not (tmp_path / "weights").exists()

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            pytest.param(None, "404", id="not there"),
            pytest.param(b"something else", "its sha256 does not begin with", id="another file"),
            pytest.param(CONTENT * 2, "over the limit of 1000 bytes", id="too much"),
        ],
    )
    def test_what_is_not_what_was_published_is_not_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, content: bytes | None, said: str
    ) -> None:
        monkeypatch.setattr("yolo_pipeline.tracks.classify.published.MAX_BYTES", 1000)
        if content is not None:
            (tmp_path / "site" / NAME).write_bytes(content)
        told = Told()
        with pytest.raises(WeightsError, match="are not there and cannot be fetched"):
            obtain(Published("V1", f"{server}/{NAME}"), tmp_path / "weights", told)
        assert said in told.lines[1]
        assert not list((tmp_path / "weights").iterdir())
