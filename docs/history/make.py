"""Draws the plots of docs/history/README.md: python docs/history/make.py

The lists are imported into a project that is thrown away, as `import-run` does it; what is drawn is what its runs say.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from yolo_pipeline.comparing.effects import effects
from yolo_pipeline.recipes.import_run import import_run

HERE = Path(__file__).parent
METRICS = {"reported/mAP50": ("mAP50", "#d1495b"), "reported/mAP50_95": ("mAP50-95", "#2a6f97")}
DOUBTED = 2  # row of the tooth table whose two figures are the same


def records(name: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as project:
        return [entry.run.record for entry in import_run(Path(project), HERE / name, 1)]


def save(figure: Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(HERE / name, dpi=80, metadata={"Software": None})


def draw_food(attempts: list[dict[str, Any]]) -> None:
    figure = Figure(figsize=(9, 3.6))
    axes = figure.subplots()
    judged = [record for record in attempts if record["training"]["own_metrics"]]
    places = range(len(judged))
    for name, (label, colour) in METRICS.items():
        values = [record["training"]["own_metrics"][name] for record in judged]
        axes.plot(places, values, "o-", color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:.3f}", (place, value), (0, 7), textcoords="offset points", ha="center")
    words = [
        f"attempt {record['attempt']}\n{record['data']['counts']['train']['images']} images, "
        f"{record['settings']['data']['number_of_classes']} classes\nimgsz {record['settings']['train']['imgsz']}"
        for record in judged
    ]
    axes.set_xticks(places, words)
    axes.set(ylim=(0, 0.85), xlim=(-0.4, len(judged) - 0.6), title="Food ingredients, YOLOv5x, as the project reported")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    save(figure, "food.png")


def draw_tooth(rows: list[dict[str, Any]]) -> None:
    groups = list(dict.fromkeys(row["told"]["group"] for row in rows))
    figure = Figure(figsize=(9, 4.2))
    axes = figure.subplots()
    for number, (name, (label, colour)) in enumerate(METRICS.items()):
        told = [row for row in rows if name in row["training"]["own_metrics"]]
        places = [groups.index(row["told"]["group"]) - 0.12 + 0.24 * number for row in told]
        values = [row["training"]["own_metrics"][name] for row in told]
        doubted = name == "reported/mAP50_95"
        filled = [colour if row["attempt"] != DOUBTED or not doubted else "white" for row in told]
        axes.scatter(places, values, 22, facecolors=filled, edgecolors=colour, label=label)
    axes.set_xticks(range(len(groups)), groups, rotation=30, ha="right")
    axes.set(
        ylim=(0.28, 0.95), title="Tooth caries, 72 attempts by group; hollow: row 2, whose two figures are the same"
    )
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower left")
    save(figure, "tooth.png")


def draw_pairs(rows: list[dict[str, Any]]) -> None:
    metric = "reported/mAP50_95"
    told = [
        ({**row["settings"]["train"], "model": row["settings"]["model"]}, row["training"]["own_metrics"][metric])
        for row in rows
        if metric in row["training"]["own_metrics"] and row["attempt"] != DOUBTED
    ]
    found = [effect for effect in effects(told) if effect.steps]
    figure = Figure(figsize=(9, 4.2))
    axes = figure.subplots()
    for place, effect in enumerate(found):
        changes = [step.change for step in effect.steps]
        axes.scatter(
            changes, [place] * len(changes), [22 * step.pairs for step in effect.steps], alpha=0.7, c="#2a6f97"
        )
    axes.axvline(0, color="#888", linewidth=1)
    axes.set_yticks(range(len(found)), [effect.setting for effect in found])
    axes.invert_yaxis()
    axes.set(
        xlabel="change of mAP50-95, from the smaller value (or none) to the larger",
        title="One dot: two values of one setting, all else as told the same; larger: more pairs",
    )
    axes.grid(alpha=0.25)
    save(figure, "tooth-pairs.png")


if __name__ == "__main__":
    draw_food(records("food_attempts.yaml"))
    tooth = records("tooth_attempts.csv")
    draw_tooth(tooth)
    draw_pairs(tooth)
