"""What a classifier starts from, and the file that it is kept in: best.safetensors, with what it says of itself.

Tensors of the backbone have the names that torchvision publishes them by, those of the head `head.0.weight` and so on.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from yolo_pipeline.attempt import Attempt, DenseLayer
from yolo_pipeline.errors import WeightsError, one_line
from yolo_pipeline.files import write_bytes
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.settings.classify import MODELS
from yolo_pipeline.tracks.classify.models import Classifier, Normalisation, assemble, normalisation
from yolo_pipeline.tracks.classify.published import obtain, published, require_published

SUFFIX = ".safetensors"

_METADATA = "yolo_pipeline classify"  # one key: several would be written in an order of chance
_TORCH = (".pth", ".pt")
_OF_IMAGENET = ("fc.", "classifier.", "AuxLogits.")  # what torchvision's files hold beside the backbone
_COUNTER = ".num_batches_tracked"  # which files from before 2018 lack
_MOST_IMGSZ = 2048
_AGAIN = "Train again, or use the best.safetensors of another run"
_CODE = re.compile(r"GLOBAL ([\w.]+)")


def _known(model: str) -> str:
    if model not in MODELS:
        raise ValueError("it is no model of this track")
    return model


def _one_word_each(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names) or not all(name and name == one_line(name) for name in names):
        raise ValueError("it is no list of different class names")
    return names


@dataclass(frozen=True, slots=True)
class About:
    """What a weights file says of itself.

    Attributes:
        model: name of the backbone.
        names: of the classes, in order.
        imgsz: side in pixels of the squares that it was trained on.
        head: the dense layers below that of the classes.
        mean, std: of the normalisation of pixels, red first.
        epoch: of training, at which the weights were saved.
    """

    model: Annotated[str, AfterValidator(_known)]
    names: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_one_word_each)]
    imgsz: Annotated[int, Field(ge=1, le=_MOST_IMGSZ)]
    head: Annotated[tuple[DenseLayer, ...], Field(max_length=20)]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    epoch: Annotated[int, Field(ge=0)]


_ABOUT = TypeAdapter(About)


def find_pretrained(attempt: Attempt, progress: Progress) -> Path | None:
    """The file that an attempt starts from; None: from scratch. A download is said beforehand.

    What should be known of it is said too: its normalisation, or that a frozen backbone is random. Who has had it said
    asks with `silent`.

    Raises:
        WeightsError: there is no such file, it is not what its name says, or cannot be fetched.
    """
    if attempt.pretrained is False:
        if attempt.train.get("freeze") != "none":
            progress.say("the backbone is random, as `pretrained: false` says; what is frozen of it stays random")
        return None
    if attempt.pretrained is True:
        weights = published(attempt.model)
        file = obtain(weights, attempt.root / "weights", progress)
        whose = f"{weights.name} ({weights.version})"
    else:
        file = _existing(attempt.root / str(attempt.pretrained))
        whose = file.name
    said = str(normalisation(attempt.model))
    progress.say(f"starting from {whose}; pictures are normalised as for ImageNet weights of {attempt.model}: {said}")
    return file


def load_pretrained(classifier: Classifier, model: str, file: Path) -> None:
    """Fills the backbone from a .pth file of torchvision, or a .safetensors file of an earlier attempt.

    What these files hold of a head is left out.

    Raises:
        WeightsError: it cannot be read, or is of another architecture: the first key that differs is named.
    """
    found = _own_backbone(file, model) if file.suffix.lower() == SUFFIX else _torch_file(file)
    state = classifier.state_dict()
    wanted = {key: state[ours] for key, ours in classifier.published.items()}
    wanted = {key: like for key, like in wanted.items() if key in found or not key.endswith(_COUNTER)}
    found = {key: found[key] for key in found if key in wanted or not key.startswith(_OF_IMAGENET)}
    shapes = {key: tuple(tensor.shape) for key, tensor in found.items()}
    if (difference := _first_difference(wanted, shapes)) is not None:
        raise WeightsError(file, f"is not of {model}: {difference}", _right_files(model))
    values = {key: _value(file, key, found[key], like) for key, like in wanted.items()}
    for key, value in values.items():
        wanted[key].copy_(value)


def save(file: Path, classifier: Classifier, about: About) -> None:
    """Writes a weights file, all or nothing. The same weights give the same bytes."""
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in _by_file_key(classifier).items()}
    said = _ABOUT.dump_json(about).decode()
    write_bytes(file, safetensors.torch.save(tensors, {_METADATA: said}))


def load(file: Path) -> tuple[Classifier, About]:
    """A classifier as it was saved, on the CPU, in eval mode.

    Raises:
        WeightsError: it is none of these files, or a damaged one.
    """
    with _opened(file) as opened:
        about = _about(file, opened.metadata())
        with torch.device("meta"):  # shapes alone: what the file promises takes no memory yet
            classifier = assemble(about.model, about.head, len(about.names))
        wanted = _by_file_key(classifier)
        shapes = {key: tuple(opened.get_slice(key).get_shape()) for key in opened.keys()}  # noqa: SIM118
        if (difference := _first_difference(wanted, shapes)) is not None:
            raise WeightsError(file, f"is damaged: {difference}", _AGAIN)
        values = {key: _value(file, key, opened.get_tensor(key), like).clone() for key, like in wanted.items()}
    ours = {classifier.published.get(key, key): value for key, value in values.items()}
    classifier.load_state_dict(ours, assign=True)
    return classifier.eval(), about


def read_about(file: Path) -> About:
    """What a weights file says of itself; no tensor is read.

    Raises:
        WeightsError: it is none of these files.
    """
    with _opened(file) as opened:
        return _about(file, opened.metadata())


def settings_of(file: Path) -> dict[str, Any]:
    """What an attempt would say of a weights file's model.

    Raises:
        WeightsError: as `read_about`.
    """
    about = read_about(file)
    head = [layer.model_dump() for layer in about.head]
    return {"track": "classify", "model": about.model, "head": head, "train": {"imgsz": about.imgsz}}


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise WeightsError(file, "there is no such file", "Put it there, or name another one (weights: in the attempt)")
    if file.suffix.lower() not in (*_TORCH, SUFFIX):
        remedy = "Name a .pth file as torchvision publishes it, or the best.safetensors of an attempt"
        raise WeightsError(file, "is no weights file of this track", remedy)
    require_published(file)
    return file


def _by_file_key(classifier: Classifier) -> dict[str, torch.Tensor]:
    """Name of each tensor in a file of ours -> the tensor."""
    state = classifier.state_dict()
    backbone = {key: state[ours] for key, ours in classifier.published.items()}
    return {**backbone, **{key: tensor for key, tensor in state.items() if key.startswith("head.")}}


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    if not file.is_file():
        raise WeightsError(file, "there is no such file", "Check the path")
    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            yield opened
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(file, f"cannot be read as weights ({complaint(error).rstrip('.')})", _AGAIN) from error


def _about(file: Path, metadata: Mapping[str, str] | None) -> About:
    said = (metadata or {}).get(_METADATA)
    if said is None:
        raise WeightsError(file, "is no weights file of this track: it does not say what it is", _AGAIN)
    try:
        about = _ABOUT.validate_json(said, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "all of it"
        raise WeightsError(file, f"what it says of itself is wrong: {where}: {fault['msg'][:200]}", _AGAIN) from error
    if about.imgsz < MODELS[about.model].least:
        raise WeightsError(file, f"says imgsz {about.imgsz}, which is too small for {about.model}", _AGAIN)
    of_model = normalisation(about.model)
    if (said_so := Normalisation(about.mean, about.std)) != of_model:
        reason = f"says that pixels are normalised by {said_so}, where {about.model} has {of_model}"
        raise WeightsError(file, reason, _AGAIN)
    return about


def _own_backbone(file: Path, model: str) -> dict[str, torch.Tensor]:
    with _opened(file) as opened:
        about = _about(file, opened.metadata())
        if about.model != model:
            raise WeightsError(file, f"is of {about.model}, not of {model}", _right_files(model))
        keys = [key for key in opened.keys() if not key.startswith("head.")]  # noqa: SIM118
        return {key: opened.get_tensor(key) for key in keys}


def _torch_file(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a .pth file, by name. No code in it is run."""
    remedy = "Name a .pth file as torchvision publishes it: a state_dict, saved by torch.save"
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # of broken and hostile files anything
        code = _CODE.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
        reason = f"refers to code ({code[1]}), which was not run" if code else f"cannot be read: {complaint(error)}"
        raise WeightsError(file, reason.rstrip(". "), remedy) from error
    if not isinstance(found, Mapping) or not found or not all(map(_is_plain, found.items())):
        raise WeightsError(file, "holds something else than tensors by name", remedy)
    return dict(found)


def _is_plain(entry: tuple[Any, Any]) -> bool:
    key, tensor = entry
    return (
        isinstance(key, str)
        and isinstance(tensor, torch.Tensor)
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
    )


def _first_difference(wanted: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """What tells two architectures apart, in order of the one that is wanted; None: nothing does."""
    for key, like in wanted.items():
        if key not in shapes:
            return f"{key} is missing"
        if shapes[key] != tuple(like.shape):
            return f"{key} is {_size(shapes[key])}, not {_size(tuple(like.shape))}"
    return next((f"{key} is nothing that it has" for key in shapes if key not in wanted), None)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _value(file: Path, key: str, tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A tensor in the kind of numbers that is wanted."""
    if tensor.is_floating_point() != like.is_floating_point() or tensor.is_complex():
        raise WeightsError(f"{file}: {key}", f"holds numbers of the kind {tensor.dtype}", _AGAIN)
    value = tensor.to(like.dtype)
    if not bool(torch.isfinite(value).all()):
        raise WeightsError(f"{file}: {key}", "holds values that are no finite numbers", _AGAIN)
    return value


def _right_files(model: str) -> str:
    return f"Name {published(model).name} of torchvision, or the best.safetensors of an attempt with {model}"
