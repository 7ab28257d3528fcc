"""Names that tell pictures of several sources apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.gathering.naming import labels, unique


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        pytest.param(["/data/a", "/data/b"], ["a", "b"], id="their own names"),
        pytest.param(["/data/a", "/data/a"], ["a", "a"], id="one folder"),
        pytest.param(["/x/a", "/y/a", "/y/b"], ["x/a", "y/a", "b"], id="as many folders as it takes"),
        pytest.param(["/x/s/a", "/y/s/a", "/y/t/a"], ["x/s/a", "y/s/a", "t/a"], id="some more than others"),
        pytest.param(["/a", "/x/a"], ["a", "x/a"], id="nothing above one of them"),
        pytest.param(["/x/../a/"], ["a"], id="written in a roundabout way"),
        pytest.param(["/"], [""], id="a whole disk"),
    ],
)
def test_folders_are_told_apart(roots: list[str], expected: list[str]) -> None:
    assert labels(roots, [False] * len(roots)) == expected


def test_files_have_the_folders_that_tell_them_apart() -> None:
    roots = ["/x/a/1.jpg", "/y/a/1.jpg", "/y/b/2.jpg", "/z/b/1.jpg"]
    assert labels(roots, [True] * 4) == ["x/a", "y/a", "", "b"]
    assert labels(["/x/1.jpg", "/y/1.jpg"], [True, False]) == ["", "1.jpg"]


def test_repeated_names_are_numbered_around_those_that_are_there() -> None:
    assert unique(["a.jpg", "a.jpg", "a-2.jpg", "a.jpg", "b"]) == ["a.jpg", "a-3.jpg", "a-2.jpg", "a-4.jpg", "b"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["a.jpg", "a-2.jpg", "a-2-2.jpg", "a-3.jpg", "x/a", "x/a-2"]), max_size=12))
def test_no_two_are_equal_and_the_first_of_each_stays(names: list[str]) -> None:
    given_names = unique(names)
    assert len(set(given_names)) == len(names)
    assert all(given_names[names.index(name)] == name for name in set(names))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=6))
def test_different_folders_have_different_labels(paths: list[list[str]]) -> None:
    roots = ["/" + "/".join(path) for path in paths]
    told = dict(zip(roots, labels(roots, [False] * len(roots)), strict=True))
    assert len(set(told.values())) == len(set(roots))
    assert all(root.endswith(f"/{label}") for root, label in told.items())
