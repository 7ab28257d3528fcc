"""python -m yolo_pipeline"""

from __future__ import annotations

import sys

from yolo_pipeline.cli import run


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # Windows' code pages
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
