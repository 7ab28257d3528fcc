"""One task, from its line on stdin to its last line of JSON; exit code 0 where it was done."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from typing import Any, NoReturn

from . import remedies
from .faults import Fault, explained
from .talking import Parent

TASKS = {"train": ".training", "ask": ".asking", "export": ".exporting", "records": ".reading"}
"""Task -> the module with its function `run`."""


def main() -> NoReturn:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parent = Parent()
    try:
        if parent.task not in TASKS:
            raise Fault(f"the worker knows no task {parent.task}")
        _prepare(parent.job.get("device"))
        importlib.import_module(TASKS[parent.task], __package__).run(parent)
    except Exception as error:
        traceback.print_exc()
        batch = parent.job.get("batch") if parent.task == "train" else None
        parent.send(explained(error, batch).message())
        _leave(1)
    _leave(0)


def _leave(code: int) -> NoReturn:
    """At once: TensorFlow takes seconds to take itself apart, and has nothing left to write."""
    sys.stderr.flush()
    os._exit(code)


def _prepare(device: Any) -> None:
    """TensorFlow as the API needs it; memory of a GPU is taken as it is used, so that others have some.

    Raises:
        Fault: a GPU is wanted, and TensorFlow sees none: it would take hours on the CPU without a word.
    """
    remedies.apply()
    import tensorflow as tf

    tf.get_logger().setLevel(logging.ERROR)
    gpus = tf.config.list_physical_devices("GPU")
    if device not in (None, "cpu") and not gpus:
        reason = f"the device {device} was asked for, and TensorFlow sees no such GPU"
        raise Fault(reason, "Say device: cpu, or type: python -m yolo_pipeline setup-tfapi --cuda")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
