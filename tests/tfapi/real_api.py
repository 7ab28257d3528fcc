"""The real API, asked from a test; skipped by name where its environment is not there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import yolo_pipeline.tfapi.worker
from yolo_pipeline.errors import InputError
from yolo_pipeline.tfapi import environment

WORKER = Path(yolo_pipeline.tfapi.worker.__file__).parent
SCRIPT = Path(__file__).with_name("said_by_api.py")


def ask_api(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """What the API answers to a job of `said_by_api.py`; its files lie in `folder`."""
    try:
        python = environment.python()
    except InputError as error:
        pytest.skip(f"the API's environment is not here: {error}")
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [python, "-X", "utf8", SCRIPT, WORKER, folder / "job.json", folder / "answer.json"]
    environs = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environs}, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return answer
