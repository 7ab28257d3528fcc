"""What building says where a setting has no effect, and what is refused before anything is fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FakeTrack, write_yaml
from PIL import Image

from yolo_pipeline import attempt as attempts
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.recipes.build import build
from yolo_pipeline.recipes.train import train


def notes(project: Path, number: int) -> tuple[str, ...]:
    return build(attempts.load(project, number)).report.notes


def test_a_seed_that_moves_nothing_is_said(project: Path) -> None:
    write_yaml(project / "attempts" / "4.yaml", {"base": 1, "data": {"split": {"seed": 3, "similar_together": True}}})
    said = "data.split.seed and data.split.similar_together: pictures of attempt 1 keep their split; `again: true` deals all of them anew"
    assert said in notes(project, 4)
    write_yaml(project / "attempts" / "4.yaml", {"base": 1, "data": {"split": {"seed": 3, "again": True}}})
    assert notes(project, 4) == ()


def test_backgrounds_that_were_not_needed_are_said(project: Path, labelled_folder: Callable[..., Path]) -> None:
    (project / "plain").mkdir()
    Image.new("RGB", (64, 64)).save(project / "plain" / "a.png")
    data = {"classes": ["onion"], "backgrounds": {"source": "plain", "share": 0.1}}
    write_yaml(project / "attempts" / "4.yaml", {"base": 1, "data": data})
    assert "no background was added: as many training pictures have no box already" in notes(project, 4)


def test_an_empty_source_is_refused_before_weights_are_looked_for(project: Path) -> None:
    (project / "empty").mkdir()
    write_yaml(project / "attempts" / "4.yaml", {"base": 1, "data": {"sources": [{"path": "empty"}]}})

    class Fetching(FakeTrack):
        def check(self, *_: object) -> None:
            raise AssertionError("weights were looked for")

    with pytest.raises(AnnotationError, match="empty: holds no picture"):
        train(project, 4, track=Fetching())
