"""What is left of a path, and of a text with a path in it, when settings are handed to others."""

from __future__ import annotations

from typing import Any

import pytest

from yolo_pipeline.portable import portable


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param("/home/kim/photos", "photos", id="from the root"),
        pytest.param("/home/kim/my photos/", "my photos", id="with a blank"),
        pytest.param("~/photos", "photos", id="home"),
        pytest.param("~kim/photos", "photos", id="somebody's home"),
        pytest.param("../kim/photos", "photos", id="out of the project"),
        pytest.param(r"C:\Users\kim\photos", "photos", id="Windows"),
        pytest.param("C:/Users/kim/photos", "photos", id="Windows, other slashes"),
        pytest.param(r"\\server\kim\photos", "photos", id="share"),
        pytest.param("file:///home/kim/photos", "photos", id="address of a file"),
        pytest.param("datasets/raw", "datasets/raw", id="in the project"),
        pytest.param("kept in /home/kim/photos, all of it", "kept in photos, all of it", id="in a text"),
        pytest.param("(C:/Users/kim/x.png) and ~/y", "(x.png) and y", id="two in a text"),
        pytest.param("chicken and/or onion, 1/2 of them", "chicken and/or onion, 1/2 of them", id="no path"),
        pytest.param("https://a.example/b/c", "https://a.example/b/c", id="address"),
        pytest.param("", "", id="nothing"),
        pytest.param(0.5, 0.5, id="number"),
        pytest.param(None, None, id="none"),
        pytest.param({"a": ["/x/y", {"b": "~/z"}]}, {"a": ["y", {"b": "z"}]}, id="nested"),
    ],
)
def test_only_the_last_part_of_a_path_is_left(said: Any, left: Any) -> None:
    assert portable(said) == left
