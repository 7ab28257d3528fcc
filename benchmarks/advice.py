"""How often the advice names the fault: faults are planted in the built-in digits, one each, and trained. To run:

    python benchmarks/advice.py --runs FOLDER

Ten faults and a control without any (advice_faults.py), yolov8n from scratch, a minute or two each on two CPU cores.
Counted is how often the matching rule comes first; the control must give nothing. Runs that are finished in FOLDER are
taken as they are. With --save, what the rules need of each run is written for the tests.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from advice_faults import ATTEMPT, FAULTS, Fault, faultless, make_raw

from yolo_pipeline import attempt as attempts
from yolo_pipeline.files import read_json, write_json
from yolo_pipeline.formats import yolo
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run, run_of

LEAST_SCORE = 0.01  # of saved detections: below, they are noise and most of the bytes
KEPT_OF_RECORD = ("state", "attempt", "settings", "training", "findings", "data", "seconds")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the advice says of one fault: the first rule and its measured sentence, empty where nothing was found."""

    fault: Fault
    rule: str
    measured: str
    others: tuple[str, ...]
    mAP50: float | None

    @property
    def is_right(self) -> bool:
        return self.rule in self.fault.rules if self.fault.rules else not self.rule


def main() -> None:
    arguments = parse_arguments()
    raw = arguments.runs / "digits"
    make_raw(raw)
    wanted = [fault for fault in FAULTS if not arguments.only or fault.name in arguments.only]
    for fault in wanted:
        root = arguments.runs / fault.name.replace(" ", "-")
        if not run_of(root, 1).finished:
            train_planted(fault, root, raw, arguments.runs, arguments.seed)
        if arguments.save:
            save_evidence(run_of(root, 1), arguments.save / root.name)
    if not arguments.train_only:
        outcomes = [outcome_of(fault, arguments.runs / fault.name.replace(" ", "-")) for fault in wanted]
        print(markdown(outcomes))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, metavar="FOLDER", help="where the runs lie")
    parser.add_argument("--only", nargs="*", choices=[fault.name for fault in FAULTS], help="these faults alone")
    parser.add_argument("--train-only", action="store_true", help="train what is missing, and say nothing")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write what the rules need of each run")
    parser.add_argument("--seed", type=int, default=0, help="deals the pictures, plants and trains; a FOLDER for each")
    return parser.parse_args()


def train_planted(fault: Fault, root: Path, raw: Path, runs: Path, seed: int) -> None:
    """Makes a project with the fault in it and trains its only attempt."""
    if root.exists():
        shutil.rmtree(root)
    planted = root / "datasets" / "raw" / "planted"
    drawn = root / "drawn"
    drawn.mkdir(parents=True)
    dataset = faultless(raw, seed)
    yolo.write(fault.plant(dataset, drawn, seed) if fault.plant else dataset, planted)
    (root / "attempts").mkdir()
    (root / "attempts" / "1.yaml").write_text(yaml.safe_dump(attempt_of(fault, seed)), encoding="utf-8")
    if fault.trained_as:
        take_training(runs / fault.trained_as, root)
    else:
        train(root, 1)


def attempt_of(fault: Fault, seed: int) -> dict[str, Any]:
    said: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in ATTEMPT.items()}
    for key, value in {"title": fault.name, "train.seed": seed, **fault.settings}.items():
        block, _, name = key.rpartition(".")
        (said.setdefault(block, {}) if block else said)[name] = value
    return said


def take_training(trained: Path, root: Path) -> None:
    """A run of the same data and training, under the attempt's own settings."""
    shutil.copytree(run_of(trained, 1).folder, run_of(root, 1).folder)
    run = run_of(root, 1)
    run.write_record({**run.record, "settings": attempts.load(root, 1).settings()})


def outcome_of(fault: Fault, root: Path) -> Outcome:
    from yolo_pipeline.recipes.diagnose import results_of

    results = results_of(root, 1)
    first, *others = [(advice.rule, advice.measured) for advice in results.advice] or [("", "")]
    return Outcome(fault, *first, tuple(rule for rule, _ in others), results.scores["val"].mAP50)


def save_evidence(run: Run, folder: Path) -> None:
    """What the rules need of a run, as a run's folder."""
    saved = Run(folder)
    record = {key: value for key, value in run.record.items() if key in KEPT_OF_RECORD}
    record["data"] = {key: record["data"][key] for key in ("names", "counts")}
    record["training"] = {key: record["training"][key] for key in ("used", "parameters")}
    saved.write_record(record)
    saved.write_scores({"val": run.read_scores()["val"]})
    shutil.copyfile(run.curves_file, saved.curves_file)
    detections = [row for row in read_json(run.detections_file("val")) if row["score"] >= LEAST_SCORE]
    write_json(saved.detections_file("val"), detections, indent=None)
    truth = read_json(run.truth_file("val"))
    for row in (*truth["images"], *truth["annotations"]):
        for key in ("sha256", "area", "iscrowd"):  # what reading fills in again
            row.pop(key, None)
    write_json(saved.truth_file("val"), truth, indent=None)


def markdown(outcomes: list[Outcome]) -> str:
    rows = ["| fault | first advice | as measured | also | mAP50 |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        first = f"{outcome.rule or 'nothing found'}{'' if outcome.is_right else ' (wrong)'}"
        score = "-" if outcome.mAP50 is None else f"{outcome.mAP50:.3f}"
        rows.append(f"| {outcome.fault.name} | {first} | {outcome.measured} | {', '.join(outcome.others)} | {score} |")
    planted = [outcome for outcome in outcomes if outcome.fault.rules]
    right = sum(outcome.is_right for outcome in planted)
    return "\n".join([*rows, "", f"The matching rule came first for {right} of {len(planted)} faults."])


if __name__ == "__main__":
    main()
