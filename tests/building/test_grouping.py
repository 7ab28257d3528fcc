"""Pictures that must stay in one split."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolo_pipeline.building.grouping import join_groups
from yolo_pipeline.nouns import Dataset, ImageRecord


def dataset(**groups: str) -> Dataset:
    images = (ImageRecord(Path(name), name, 10, 10, ".jpg", group=group) for name, group in groups.items())
    return Dataset((), tuple(images))


@pytest.mark.parametrize(
    ("groups", "pairs", "expected"),
    [
        pytest.param({"a": "", "b": ""}, [], ["", ""], id="no pair"),
        pytest.param({"a": "", "b": "", "c": ""}, ["ab"], ["a", "a", ""], id="a pair"),
        pytest.param({"a": "", "b": "", "c": ""}, ["bc", "ac"], ["a", "a", "a"], id="a chain"),
        pytest.param({"a": "photo", "b": "photo", "c": ""}, ["bc"], ["a", "a", "a"], id="a pair that a version of a photo is in"),
        pytest.param({"a": "p", "b": "q", "c": "p", "d": "q"}, ["ab"], ["a", "a", "a", "a"], id="a pair joins two groups"),
        pytest.param({"a": "p", "b": "p", "c": "", "d": ""}, ["cd"], ["p", "p", "c", "c"], id="other groups stay"),
    ],
)  # fmt: skip
def test_joined_groups(groups: dict[str, str], pairs: list[str], expected: list[str]) -> None:
    joined = join_groups(dataset(**groups), [(Path(a), Path(b)) for a, b in pairs])
    assert [image.group for image in joined.images] == expected
