"""What a classifier says of pictures, as it is saved, and finished runs of it: all made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline.files import write_json
from yolo_pipeline.judging.classification import judge_pictures
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.nouns import Curves, Split
from yolo_pipeline.run import Run, run_of

Pair = tuple[CocoTruth, CocoResults]


def told_of(
    labels: Sequence[str],
    said: Sequence[Mapping[str, float]],
    names: Sequence[str] = ("cat", "dog"),
    split: str = "val",
) -> Pair:
    """Pictures of 28 x 28 pixels, SPLIT/LABEL/0.png and so on, with these labels, and probabilities of classes."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    whole = [0.0, 0.0, 28.0, 28.0]
    truth = {
        "images": [
            {"id": at, "file_name": f"{split}/{label}/{at - 1}.png", "width": 28, "height": 28, "sha256": f"{at:064}"}
            for at, label in enumerate(labels, start=1)
        ],
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "annotations": [
            {"id": at, "image_id": at, "category_id": numbers[label], "bbox": whole, "area": 784.0, "iscrowd": 0}
            for at, label in enumerate(labels, start=1)
        ],
    }
    results = [
        {"image_id": at, "category_id": numbers[name], "bbox": whole, "score": score}
        for at, scores in enumerate(said, start=1)
        for name, score in scores.items()
    ]
    return truth, results


def surely(said: Sequence[str], score: float = 0.98, names: Sequence[str] = ("cat", "dog")) -> list[dict[str, float]]:
    """Each picture is said to be this class, with the rest of the probability shared by the others."""
    rest = (1 - score) / (len(names) - 1)
    return [{name: score if name == best else rest for name in names} for best in said]


def save_classifier(
    root: Path,
    number: int,
    judged: Mapping[Split, Pair],
    settings: Mapping[str, Any],
    columns: Mapping[str, tuple[float, ...]] | None = None,
    **record: Any,
) -> Run:
    """A finished run of the track classify that left these truths and results."""
    run = run_of(root, number)
    for split, (truth, results) in judged.items():
        write_json(run.truth_file(split), truth)
        write_json(run.detections_file(split), results)
    run.write_scores({split: judge_pictures(*pair) for split, pair in judged.items()})
    if columns is not None:
        run.write_curves(Curves(dict(columns)))
    names = [row["name"] for row in next(iter(judged.values()))[0]["categories"]]
    counts = {split: {"images": len(truth["images"])} for split, (truth, _) in judged.items()}
    counts["train"] = {"images": 40, "boxes": 40, "backgrounds": 0, "classes": dict.fromkeys(names, 40 // len(names))}
    run.write_record(
        {
            "state": "finished",
            "attempt": number,
            "settings": {"track": "classify", **settings},
            "data": {"names": names, "counts": counts},
            "training": {"start": {"file": "resnet18.pth"}, "used": {"imgsz": 32}},
            **record,
        }
    )
    return run
