"""A Python of an API's environment, played by a script: it answers as the worker does, without TensorFlow.

What it should do otherwise than work well stands in BEHAVIOUR, a JSON file beside it:
{"crash_at": step, "kill_at": step, "garbage_at": step, "wait_at": step (until it is stopped), "fault": {…},
"done": {…}, "answer": {…}, "kill_asked": true}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

BEHAVIOUR, JOBS = "behaviour.json", "jobs.jsonl"
STDIN = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  unbuffered: a thread may wait in it at exit
VERSIONS = {"Python": "3.11.9", "tensorflow": "2.21.0", "tf-models-research-object-detection": "2.8.0.post1"}


def install(folder: Path, **behaviour: Any) -> Path:
    """The interpreter, in a new folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BEHAVIOUR).write_text(json.dumps(behaviour))
    python = folder / "python"
    script = f"import runpy\nrunpy.run_path({__file__!r}, {{'HERE': {str(folder)!r}}}, '__main__')\n"
    python.write_text(f"#!{sys.executable}\n{script}")
    python.chmod(0o755)
    return python


def jobs(python: Path) -> list[dict[str, Any]]:
    """What it was started with, each {"task", "job", "pid"}."""
    file = python.with_name(JOBS)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def alive(python: Path) -> list[int]:
    """The processes of it that still run."""
    return [one["pid"] for one in jobs(python) if _runs(one["pid"])]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def main(here: Path) -> None:
    if "tensorflow" in sys.argv:  # environment.py asks for versions
        print(json.dumps({"versions": VERSIONS, "lacks": [], "python": [3, 11]}))
        return
    asked = json.loads(STDIN.readline())
    with (here / JOBS).open("a") as file:
        file.write(json.dumps({**asked, "pid": os.getpid()}) + "\n")
    behaviour = json.loads((here / BEHAVIOUR).read_text())
    if "fault" in behaviour:
        send({"fault": behaviour["fault"]})
        sys.exit(1)
    (train if asked["task"] == "train" else ask)(asked["job"], behaviour)


def send(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def train(job: dict[str, Any], behaviour: dict[str, Any]) -> None:
    """Losses fall as 1/step; mAP50 on val is highest half-way."""
    folder, steps = Path(job["model_dir"]), job["steps"]
    stopped = threading.Event()
    threading.Thread(target=lambda: (STDIN.readline(), stopped.set()), daemon=True).start()
    step = begun(folder)
    send({"say": f"goes on from step {step}" if step else "builds the model"})
    while step < steps and not stopped.is_set():
        step += 1
        if step == behaviour.get("wait_at"):
            stopped.wait(60)
        misbehave(step, behaviour)
        losses = {
            "Loss/classification_loss": 1 / step,
            "Loss/localization_loss": 0.5 / step,
            "Loss/total_loss": 2 / step,
        }
        line = {"step": step, "losses": losses, "learning_rate": 0.01, "seconds": 0.25}
        log(folder, line)
        send({**line, "of": steps})
        if step % job["checkpoint_every"] == 0 or step == steps:
            save(folder, step)
            if job["val"]:
                send({"evaluating": 1, "of": job["val"]})
                evaluate(folder, step, steps)
    save(folder, step)
    best = best_step(folder) if job["val"] else step
    for part in ("index", "data-00000-of-00001"):
        (folder / "best").mkdir(exist_ok=True)
        (folder / "best" / f"ckpt-{best}.{part}").write_bytes(f"weights of step {best}, {part}".encode())
    figures = metrics(best, steps) if job["val"] else {}
    done = {
        "step": step, "best_step": best, "parameters": 7, "device": "cpu", "metrics": figures,
        "interrupted": step < steps, "checkpoint": str(folder / "best" / f"ckpt-{best}"),
    }  # fmt: skip
    send({"done": {**done, **behaviour.get("done", {})}})


def misbehave(step: int, behaviour: dict[str, Any]) -> None:
    if step == behaviour.get("crash_at"):
        raise RuntimeError("the anchors are at sea")
    if step == behaviour.get("kill_at"):
        os.kill(os.getpid(), signal.SIGKILL)
    if step == behaviour.get("garbage_at"):
        print("W0000 a library that talks\n[1, 2]", flush=True)


def evaluate(folder: Path, step: int, steps: int) -> None:
    figures = metrics(step, steps)
    log(folder, {"evaluated": step, "metrics": figures, "best": True})
    send({"evaluated": step, "metrics": figures, "best": True})


def metrics(step: int, steps: int) -> dict[str, float]:
    good = 1 - abs(step - steps / 2) / steps
    return {
        "DetectionBoxes_Precision/mAP": good / 2, "DetectionBoxes_Precision/mAP@.50IOU": good, "Loss/total_loss": 3 / step,
        "DetectionBoxes_Recall/AR@1": -1.0, "learning_rate": 0.01,
    }  # fmt: skip


def best_step(folder: Path) -> int:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    scores = {
        line["evaluated"]: line["metrics"]["DetectionBoxes_Precision/mAP"] for line in lines if "evaluated" in line
    }
    return max(scores, key=lambda step: scores[step], default=0)


def begun(folder: Path) -> int:
    file = folder / "checkpoint"
    return int(file.read_text().split("ckpt-")[1].split('"')[0]) if file.is_file() else 0


def save(folder: Path, step: int) -> None:
    for part in ("index", "data-00000-of-00001"):
        (folder / f"ckpt-{step}.{part}").write_bytes(b"half")
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "ckpt-{step}"\n')


def log(folder: Path, line: dict[str, Any]) -> None:
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def ask(job: dict[str, Any], behaviour: dict[str, Any]) -> None:
    """Finds the squares of `labelled_folder` in pictures whose red comes first: class 0 is red, 1 is blue."""
    import numpy as np

    send({"ready": {}})
    while line := STDIN.readline():
        shapes = json.loads(line).get("shapes")
        if shapes is None:
            return
        blobs = [read(height * width * 3) for height, width in shapes]
        if behaviour.get("kill_asked"):
            os.kill(os.getpid(), signal.SIGKILL)
        found = []
        for (height, width), blob in zip(shapes, blobs, strict=True):
            picture = np.frombuffer(blob, np.uint8).reshape(height, width, 3)
            found.append([row for label in (0, 1) if (row := square(picture, label)) is not None])
        send(behaviour.get("answer", {"found": found}))


def read(size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += STDIN.read(size - len(content))
    return content


def square(picture: Any, label: int) -> list[float] | None:
    near, far = (picture[..., 0], picture[..., 2]) if label == 0 else (picture[..., 2], picture[..., 0])
    mask = (near > 150) & (far < 80)
    rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
    if not len(rows):
        return None
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1), label, 0.9]


if __name__ == "__main__":
    main(Path(globals()["HERE"]))
