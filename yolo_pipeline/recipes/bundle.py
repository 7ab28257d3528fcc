"""attempt-N.tar.gz: weights with all that others need to use them and to judge whether they may."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import yaml

from yolo_pipeline import decoding, images
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import cache_folder
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.portable import portable
from yolo_pipeline.reporting.model_card import model_card
from yolo_pipeline.results import Results, part
from yolo_pipeline.tfapi import environment

_EXAMPLE, _SETTINGS = "example.py", "settings.yaml"
_LONGEST_RUN = 600  # seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """How the bundles of a track differ from others'.

    Attributes:
        example: the script that becomes example.py, beside this module.
        weights: the file whose sha256 the card tells.
        framework: what the example needs.
        python: the interpreter that has it.
        variables: of the environment, that keep it quiet, off the network and away from the user's settings.
        readable: suffixes of the pictures that the example can read; empty: all that OpenCV reads.
    """

    example: str
    weights: str
    framework: str
    python: Callable[[], Path]
    variables: Callable[[], Mapping[str, str]]
    readable: frozenset[str] = frozenset()


KINDS = {
    "yolo": Kind(
        example="bundled_example.py",
        weights="best.pt",
        framework="Ultralytics",
        python=lambda: Path(sys.executable),
        variables=lambda: {
            "YOLO_CONFIG_DIR": str(cache_folder() / "ultralytics"),
            "YOLO_OFFLINE": "1",
            "YOLO_AUTOINSTALL": "false",
            "YOLO_VERBOSE": "false",
        },
    ),
    "tfapi": Kind(
        example="bundled_example_tfapi.py",
        weights="saved_model/variables/variables.data-00000-of-00001",
        framework="TensorFlow",
        python=environment.python,
        variables=lambda: {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": ""},
        readable=frozenset({".jpg", ".jpeg", ".png", ".bmp"}),
    ),
}
"""By the track of the attempt."""


def kind_of(results: Results) -> Kind:
    return KINDS[str(part(results.record, "settings").get("track", "yolo"))]


def write_bundle(results: Results, weights: Path, exported: Path, asking: Asking, file: Path) -> None:
    """Writes the archive: one folder of the file's name. The same run and the same exported files give the same bytes.

    Args:
        weights: as they were trained.
        exported: folder with what the track exports as `bundle`.
        asking: how the model is to be asked: imgsz, conf and so on.
    """
    folder, kind = file.name.removesuffix(".tar.gz"), kind_of(results)
    digests = {"weights": images.sha256(exported / kind.weights), "weights as trained": images.sha256(weights)}
    asked = {"imgsz": asking.imgsz, "conf": asking.conf, "iou": asking.iou, "max_det": asking.most}
    scores = {split: asdict(score) for split, score in results.scores.items()}
    there = {path.relative_to(exported).as_posix(): path for path in exported.rglob("*") if path.is_file()}
    entries: dict[str, bytes | Path] = {
        **there,
        "README.md": model_card(results, asked, digests).encode("utf-8", "backslashreplace"),
        _EXAMPLE: Path(__file__).with_name(kind.example).read_bytes().replace(b"\r\n", b"\n"),
        "names.json": _json(part(results.record, "data").get("names", [])),
        "scores.json": _json(scores),
        _SETTINGS: _yaml({**asked, "attempt": portable(part(results.record, "settings"))}),
    }
    write_archive(file, {f"{folder}/{name}": content for name, content in entries.items()})


def write_archive(file: Path, entries: Mapping[str, bytes | Path]) -> None:
    """A .tar.gz of contents and files that says nothing of when, where and by whom it was made."""
    with (
        file.open("wb") as packed,
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(entries.items()):
            entry = tarfile.TarInfo(name)  # mtime, uid and gid are 0, the owner's name is empty
            if isinstance(content, Path):
                entry.size = content.stat().st_size
                with content.open("rb") as source:
                    archive.addfile(entry, source)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


def run_example(kind: Kind, bundle: Path, pictures: Sequence[Path], conf: float) -> list[list[Detection]]:
    """What a bundle's own example finds on pictures, run as its receiver would: unpacked, by itself.

    Args:
        conf: instead of the bundle's own, so that there is something to see.

    Raises:
        InputError: it ends with an error, or does not say what it should.
    """
    with tempfile.TemporaryDirectory() as there:
        with tarfile.open(bundle) as archive:
            archive.extractall(there, filter="data")
        folder = Path(there) / bundle.name.removesuffix(".tar.gz")
        settings = yaml.safe_load((folder / _SETTINGS).read_text(encoding="utf-8"))
        (folder / _SETTINGS).write_bytes(_yaml({**settings, "conf": conf}))
        shown = [_readable(file, kind, Path(there), at) for at, file in enumerate(pictures)]
        said = _run(kind, bundle, [_EXAMPLE, *(str(file.resolve()) for file in shown)], folder)
        found: dict[str, list[Detection]] = {str(file.resolve()): [] for file in shown}
    try:
        for row in (json.loads(line) for line in said.splitlines() if line.startswith("{")):  # not Ultralytics' words
            found[row["picture"]].append(Detection(Box(*row["box"]), row["class"], row["score"]))
    except (ValueError, KeyError, TypeError) as error:
        reason = f"its example prints what is no row of detections ({one_line(str(error))[:200]})"
        raise InputError(bundle, reason) from error
    return list(found.values())


def _readable(file: Path, kind: Kind, there: Path, number: int) -> Path:
    """A picture that the example can read: the file itself, or its pixels in a PNG."""
    if not kind.readable or file.suffix.lower() in kind.readable:
        return file
    copy = there / f"{number}.png"
    copy.write_bytes(cv2.imencode(".png", decoding.decode(file))[1].tobytes())
    return copy


def _run(kind: Kind, bundle: Path, arguments: Sequence[str], folder: Path) -> str:
    """stdout of a script that the track's own Python runs in its folder."""
    variables = {**os.environ, **kind.variables(), "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(
            [str(kind.python()), *arguments],
            cwd=folder, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=_LONGEST_RUN,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputError(bundle, f"its example did not end within {_LONGEST_RUN} s") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise InputError(
            bundle, f"its example ends with an error: {last[:300]}", f"Mend the installation of {kind.framework}"
        )
    return done.stdout


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _yaml(value: Any) -> bytes:
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)
    return text.encode("utf-8", "backslashreplace")
