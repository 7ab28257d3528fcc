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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from yolo_pipeline import images
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import cache_folder
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.portable import portable
from yolo_pipeline.reporting.model_card import model_card
from yolo_pipeline.results import Results, part
from yolo_pipeline.tracks.yolo_portable import write_portable

_EXAMPLE, _WEIGHTS, _SETTINGS = "example.py", "best.pt", "settings.yaml"
_LONGEST_RUN = 600  # seconds


def write_bundle(results: Results, weights: Path, asking: Asking, file: Path) -> None:
    """Writes the archive: one folder of the file's name. The same run gives the same bytes.

    Args:
        asking: how the model is to be asked: imgsz, conf and so on.
    """
    folder = file.name.removesuffix(".tar.gz")
    with tempfile.TemporaryDirectory() as there:
        write_portable(weights, Path(there) / _WEIGHTS)
        data = (Path(there) / _WEIGHTS).read_bytes()
        digests = {"weights": images.sha256(Path(there) / _WEIGHTS), "weights as trained": images.sha256(weights)}
    asked = {"imgsz": asking.imgsz, "conf": asking.conf, "iou": asking.iou, "max_det": asking.most}
    scores = {split: asdict(score) for split, score in results.scores.items()}
    entries = {
        "README.md": model_card(results, asked, digests).encode("utf-8", "backslashreplace"),
        _WEIGHTS: data,
        _EXAMPLE: Path(__file__).with_name("bundled_example.py").read_bytes().replace(b"\r\n", b"\n"),
        "names.json": _json(part(results.record, "data").get("names", [])),
        "scores.json": _json(scores),
        _SETTINGS: _yaml({**asked, "attempt": portable(part(results.record, "settings"))}),
    }
    file.write_bytes(archived({f"{folder}/{name}": content for name, content in entries.items()}))


def archived(entries: Mapping[str, bytes]) -> bytes:
    """A .tar.gz of files that says nothing of when, where and by whom it was made."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(entries.items()):
            entry = tarfile.TarInfo(name)  # mtime, uid and gid are 0, the owner's name is empty
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def run_example(bundle: Path, pictures: Sequence[Path], conf: float) -> list[list[Detection]]:
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
        said = _run(bundle, [str(folder / _EXAMPLE), *(str(file.resolve()) for file in pictures)], folder)
    found: dict[str, list[Detection]] = {str(file.resolve()): [] for file in pictures}
    try:
        for row in (json.loads(line) for line in said.splitlines() if line.startswith("{")):  # not Ultralytics' words
            found[row["picture"]].append(Detection(Box(*row["box"]), row["class"], row["score"]))
    except (ValueError, KeyError, TypeError) as error:
        reason = f"its example prints what is no row of detections ({one_line(str(error))[:200]})"
        raise InputError(bundle, reason) from error
    return list(found.values())


def _run(bundle: Path, arguments: Sequence[str], folder: Path) -> str:
    """stdout of Python run on a script; Ultralytics is kept from the network and from the user's settings."""
    kept = {"YOLO_CONFIG_DIR": str(cache_folder() / "ultralytics"), "YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false"}
    environment = {**os.environ, **kept, "YOLO_VERBOSE": "false", "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=_LONGEST_RUN,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputError(bundle, f"its example did not end within {_LONGEST_RUN} s") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise InputError(
            bundle, f"its example ends with an error: {last[:300]}", "Mend the installation of Ultralytics"
        )
    return done.stdout


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _yaml(value: Any) -> bytes:
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)
    return text.encode("utf-8", "backslashreplace")
