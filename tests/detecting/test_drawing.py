"""What is drawn on a picture, by its pixels."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from seen_pictures import found

from yolo_pipeline.detecting.drawing import (
    colours,
    corners,
    drawn,
    font_size,
    label_sprite,
    line_width,
    luminance,
    score_said,
    shortened,
    with_classes,
)
from yolo_pipeline.nouns import Box

GREY = 128


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != GREY).any(axis=2)


def test_a_box_is_a_frame_in_the_colour_of_its_class() -> None:
    palette = colours(["chicken", "onion"])
    picture = drawn(grey(640, 480), [found("onion", 0.87, 100, 200, 300, 400)], palette)
    assert tuple(picture[200, 250]) == palette["onion"]
    assert tuple(picture[399, 200]) == palette["onion"]
    assert tuple(picture[300, 299]) == palette["onion"]
    assert not changed(picture)[203:397, 103:297].any()
    assert not changed(picture)[403:].any()


def test_the_picture_that_was_given_stays_as_it_is() -> None:
    pixels = grey(640, 480)
    drawn(pixels, [found("닭", 0.5)], colours(["닭"]))
    assert (pixels == GREY).all()


def test_hangul_is_drawn_as_hangul() -> None:
    """A font without it would draw one box for any syllable."""
    colour = (0, 0, 0)
    syllables = [label_sprite(text, 40, colour) for text in ("닭", "무", "값")]
    assert all(int(sprite.max()) > 200 for sprite in syllables)
    for a, b in itertools.combinations(syllables, 2):
        assert a.shape == b.shape
        assert (a != b).mean() > 0.02


def test_the_label_stands_above_the_box_and_within_the_picture() -> None:
    palette = colours(["닭"])
    inside = changed(drawn(grey(640, 480), [found("닭", 0.87, 300, 200, 500, 400)], palette))
    assert inside[185:197, 302:330].all()
    at_top = changed(drawn(grey(640, 480), [found("닭", 0.87, 300, 0, 500, 400)], palette))
    assert at_top[2:16, 302:330].all()
    at_right = changed(drawn(grey(640, 480), [found("닭", 0.87, 630, 200, 640, 400)], palette))
    assert at_right[185:197, 600:640].all()


def test_the_surest_label_lies_on_top() -> None:
    palette = colours(["a", "b"])
    surest, other = found("a", 0.9, 100, 100, 200, 200), found("b", 0.8, 100, 100, 200, 200)
    one, two = (drawn(grey(640, 480), boxes, palette) for boxes in ([surest], [surest, other]))
    height, width = label_sprite("a 0.90", font_size(640, 480), palette["a"]).shape[:2]
    label = np.s_[99 - height : 99, 99 : 99 + width]
    assert changed(one)[label].all()
    assert (one[label] == two[label]).all()


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.8686, "0.86"), (0.3999, "0.39"), (0.4, "0.40"), (0.29, "0.29"), (0.57, "0.57"), (1.0, "1.00")],
)
def test_scores_are_cut_off_as_on_the_page(score: float, said: str) -> None:
    assert score_said(score) == said
    palette = colours(["a"])
    picture, sprite = drawn(grey(640, 480), [found("a", score, 100, 100, 200, 200)], palette), f"a {said}"
    label = label_sprite(sprite, font_size(640, 480), palette["a"])
    assert (picture[99 - label.shape[0] : 99, 99 : 99 + label.shape[1]] == label).all()


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000), (7, 5), (32, 32)], ids=str)
def test_tiny_pictures_have_boxes_but_no_label(size: tuple[int, int]) -> None:
    width, height = size
    pixels = grey(width, height)
    picture = drawn(pixels, [found("닭", 0.9, 0, 0, width, height)], colours(["닭"]))
    assert picture.shape == pixels.shape
    assert tuple(picture[0, 0]) == colours(["닭"])["닭"]
    if min(size) > 8:
        assert not changed(picture)[2:-2, 2:-2].any()


def test_where_the_name_is_too_wide_the_score_stands_alone() -> None:
    palette = colours(["a rather long name of a class"])
    picture = changed(drawn(grey(100, 100), [found("a rather long name of a class", 0.9, 40, 50, 90, 90)], palette))
    assert picture[38:47, 42:60].all()
    assert not picture[:, :38].any()


def test_large_pictures_have_thick_lines_and_large_words() -> None:
    assert [line_width(*size) for size in ((64, 64), (640, 480), (4000, 3000), (13_000, 13_000))] == [1, 2, 12, 46]
    assert [font_size(*size) for size in ((64, 64), (640, 480), (4000, 3000), (13_000, 13_000))] == [11, 17, 106, 133]


@pytest.mark.parametrize(
    "box",
    [
        pytest.param(Box(-50, -50, -10, -10), id="outside"),
        pytest.param(Box(1e12, 1e12, 2e12, 2e12), id="far outside"),
        pytest.param(Box(20, 20, 20, 20), id="empty"),
        pytest.param(Box(float("-inf"), 0, float("inf"), 10), id="without end"),
    ],
)
def test_a_box_is_drawn_within_the_picture(box: Box) -> None:
    x0, y0, x1, y1 = corners(box, 100, 80)
    assert 0 <= x0 <= x1 < 100
    assert 0 <= y0 <= y1 < 80


def test_hostile_names_stand_on_one_line() -> None:
    assert shortened("line\nbreak\0") == "line break"
    assert shortened("a" * 500) == "a" * 23 + "…"
    assert shortened("\n" * 100_000 + "a") == ""
    picture = drawn(grey(640, 480), [found("x\n" * 300 + "😀", 0.9, 300, 300, 400, 400)], colours([]))
    assert not changed(picture)[:270].any()
    assert label_sprite("😀 0.90", 15, (0, 0, 0)).max() > 200


def test_a_colour_belongs_to_a_place() -> None:
    names = [str(number) for number in range(200)]
    assert colours(["x", "y"]) == dict(zip(["x", "y"], list(colours(names).values())[:2], strict=True))
    assert len(set(colours(names).values())) > 150
    first = np.array(list(colours(names).values())[:24], int)
    apart = [np.abs(a - b).sum() for a, b in itertools.combinations(first, 2)]
    assert min(apart) > 45


def test_words_on_every_colour_can_be_read() -> None:
    for colour in colours([str(number) for number in range(100)]).values():
        sprite = label_sprite("0", 20, colour)
        ink = 0.0 if (sprite == 0).all(axis=2).any() else 1.0
        high, low = sorted((luminance(colour), ink), reverse=True)
        assert (high + 0.05) / (low + 0.05) > 3.5  # WCAG's contrast


def test_drawing_is_quick() -> None:
    pixels, palette = grey(640, 480), colours(["닭", "양파"])
    boxes = [found("닭", 0.5 + n / 100, 5 * n, 4 * n, 100 + 5 * n, 100 + 4 * n) for n in range(20)]
    drawn(pixels, boxes, palette)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        drawn(pixels, boxes, palette)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.01


def test_classes_stand_in_the_corner_of_a_large_picture_and_hide_little_of_it() -> None:
    said = [found("닭", 0.9), found("onion", 0.07), found("beef", 0.03)]
    pixels = grey(800, 600)
    picture = with_classes(pixels, said, colours(["onion", "닭", "beef"]))
    assert picture.shape == pixels.shape
    assert (pixels == GREY).all()
    rows, columns = changed(picture).any(axis=1), changed(picture).any(axis=0)
    assert (rows.sum() * columns.sum()) / (800 * 600) < 0.15
    assert rows[:30].all()
    assert tuple(picture[1, 1]) == colours(["onion", "닭", "beef"])["닭"]


def test_classes_stand_below_a_small_picture_which_is_enlarged() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (28, 28, 3), dtype=np.uint8)
    picture = with_classes(pixels, [found("a class of many letters", 0.2)] * 5, {})
    assert (picture[: 28 * 7 : 7, : 28 * 7 : 7] == pixels).all()
    assert picture.shape[0] > 28 * 7
    assert picture.shape[1] >= 28 * 7


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (5000, 1), (191, 4000), (193, 193)])
def test_classes_on_pictures_of_any_shape(width: int, height: int) -> None:
    said = [found("닭" * 30, 1.0), *(found(str(n), 0.01) for n in range(4))]
    picture = with_classes(grey(width, height), said, {})
    assert picture.dtype == np.uint8
    assert picture.shape[1] >= label_sprite(f"{'닭' * 23}… 1.00", 11, (0, 0, 0)).shape[1]
