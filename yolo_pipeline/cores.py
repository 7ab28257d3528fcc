"""All cores for work on pictures: OpenCV, the decoders and hashlib let go of the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import cv2


@contextmanager
def all_cores() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core, while OpenCV starts none of its own; what still waits is given up on an interruption."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    pool = ThreadPoolExecutor(_cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(before)


def _cores() -> int | None:
    """Those that this process may run on, where the system tells: `taskset` and containers may allow a few only."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
