"""Scores of a classification attempt, anew from what was saved."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ended

from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json
from yolo_pipeline.recipes.evaluate import evaluate_attempt
from yolo_pipeline.run import run_of

NAMES = ("닭", "onion", "[b]")
LABELS = ("닭", "닭", "onion", "[b]")
SAID = ((0.7, 0.2, 0.1), (0.3, 0.6, 0.1), (0.1, 0.8, 0.1), (0.2, 0.3, 0.5))
"""Probabilities by class, of each picture."""


@pytest.fixture
def classified(tmp_path: Path) -> Path:
    """A project whose attempt 1 took one of four pictures for something else."""
    run = run_of(tmp_path, 1)
    box = [0, 0, 8, 8]
    write_json(
        run.truth_file("test"),
        {
            "images": [{"id": n, "file_name": f"{n}.png", "width": 8, "height": 8} for n in range(1, 5)],
            "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, start=1)],
            "annotations": [
                {"id": n, "image_id": n, "category_id": NAMES.index(label) + 1, "bbox": box, "area": 64, "iscrowd": 0}
                for n, label in enumerate(LABELS, start=1)
            ],
        },
    )
    rows = [(n, c, score) for n, scores in enumerate(SAID, start=1) for c, score in enumerate(scores, start=1)]
    write_json(
        run.detections_file("test"),
        [{"image_id": n, "category_id": c, "bbox": box, "score": score} for n, c, score in rows],
    )
    run.write_record({"state": "finished", "settings": {"track": "classify"}})
    return tmp_path


def test_the_scores_are_those_of_pictures(classified: Path, cli: Callable[..., Ended]) -> None:
    ended = cli("evaluate", "--attempt", 1, "--project", classified, "--json")
    assert ended.code == 0
    said = json.loads(ended.out)
    assert said.pop("loss") == pytest.approx(-sum(map(math.log, (0.7, 0.3, 0.8, 0.5))) / 4)
    classes = said.pop("classes")
    assert said == {"images": 4, "top1": 0.75, "top5": 1.0}
    assert classes["닭"] == {"images": 2, "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    assert classes["onion"] == {"images": 1, "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}
    assert classes["[b]"] == {"images": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_the_tables_have_a_row_a_class(classified: Path, cli: Callable[..., Ended]) -> None:
    ended = cli("evaluate", "--attempt", 1, "--project", classified)
    words = [line.split() for line in ended.out.splitlines() if line.strip()]
    assert ["test", "4", "0.750", "1.000", "0.619", "3", "of", "4"] in words
    assert ["class", "images", "precision", "recall", "F1"] in words
    assert ["닭", "2", "1.000", "0.500", "0.667"] in words
    assert ["[b]", "1", "1.000", "1.000", "1.000"] in words


def test_a_split_without_answers(classified: Path) -> None:
    with pytest.raises(InputError, match=r"has no judged detections on val\. There are some on test"):
        evaluate_attempt(classified, 1, "val")
