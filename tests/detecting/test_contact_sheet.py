"""The contact sheet: which pictures are on it, and how they are shown."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from seen_pictures import found, saved, seen

from yolo_pipeline.decoding import decode
from yolo_pipeline.detecting.drawing import colours
from yolo_pipeline.detecting.sheet import choose, contact_sheet, outline, write_sheet
from yolo_pipeline.nouns import Box
from yolo_pipeline.views import Seen, Views

VIEWS = Views((0.3, 0.4, 0.5))
COLOURS = colours(["닭", "onion"])


def with_scores(name: str, *scores: float) -> Seen:
    return seen(name, *(found("닭", score) for score in scores))


def test_those_whose_boxes_vanish_come_first_then_those_with_most() -> None:
    pictures = [
        with_scores("none.jpg", 0.1),
        with_scores("two stay.jpg", 0.9, 0.8),
        with_scores("one goes.jpg", 0.45),
        with_scores("one of three goes.jpg", 0.9, 0.8, 0.3),
        with_scores("another of three goes.jpg", 0.9, 0.8, 0.3),
        with_scores("two go.jpg", 0.4, 0.4),
        with_scores("one stays.jpg", 0.5),
    ]
    wanted = ["two go", "one of three goes", "another of three goes", "one goes", "two stay", "one stays"]
    assert [one.name for one in choose(pictures, VIEWS)] == [f"{name}.jpg" for name in wanted]
    assert [one.name for one in choose(iter(pictures), VIEWS, limit=2)] == ["two go.jpg", "one of three goes.jpg"]


def test_the_choice_of_few_begins_the_choice_of_many() -> None:
    draw = random.Random(0)
    pictures = [with_scores(str(n), *sorted((draw.random() for _ in range(5)), reverse=True)) for n in range(300)]
    assert choose(pictures, VIEWS, limit=48) == choose(pictures, VIEWS, limit=300)[:48]


def test_a_dashed_box_has_gaps_and_a_plain_one_has_none() -> None:
    for dashed, share in ((False, 1.0), (True, 0.5)):
        picture = np.zeros((100, 100, 3), np.uint8)
        outline(picture, Box(10, 10, 90, 90), (255, 255, 255), dashed=dashed)
        sides = [picture[10, 10:90], picture[89, 10:90], picture[10:90, 10], picture[10:90, 89]]
        shares = [(side[:, 0] == 255).mean() for side in sides]
        assert shares == pytest.approx([share] * 4, abs=0.1)
        assert not picture[20:80, 20:80].any()


def test_dashed_boxes_at_the_border_stay_in_the_picture() -> None:
    for box in (Box(0, 0, 1, 1), Box(-50, -50, 500, 500), Box(99, 99, 100, 100)):
        outline(np.zeros((100, 100, 3), np.uint8), box, (255, 255, 255), dashed=True)


def test_the_sheet_shows_what_stays_and_what_vanishes(tmp_path: Path) -> None:
    boxes = (found("닭", 0.9, 20, 20, 120, 120), found("onion", 0.35, 150, 20, 250, 120))
    one = seen("냉장고/닭.png", *boxes, file=saved(tmp_path / "a.png", (280, 140)), size=(280, 140))
    sheet = contact_sheet([one], VIEWS, COLOURS)
    top = next(y for y in range(40, len(sheet)) if (sheet[y, 12] != 255).any())
    tile = sheet[top : top + 140, 12:292]
    plain, dashed = tile[20, 20:120], tile[20, 150:250]
    assert (plain == COLOURS["닭"]).all()
    assert (dashed == COLOURS["onion"]).all(axis=1).mean() == pytest.approx(0.5, abs=0.1)
    assert (sheet[top + 142 : top + 182, 12:292] < 150).any()
    legend = sheet[:40].reshape(-1, 3)
    assert all((legend == colour).all(axis=1).any() for colour in COLOURS.values())


def test_a_grid_of_six_columns(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png")
    pictures = [seen(f"{number}.png", found("닭", 0.9), file=file) for number in range(60)]
    assert write_sheet(tmp_path / "sheet.jpg", iter(pictures), VIEWS, COLOURS) == 48
    sheet = decode(tmp_path / "sheet.jpg")
    assert sheet.shape == (56 + 8 * (80 + 64), 12 + 6 * 292, 3)
    before = (tmp_path / "sheet.jpg").read_bytes()
    write_sheet(tmp_path / "sheet.jpg", iter(pictures), VIEWS, COLOURS)
    assert (tmp_path / "sheet.jpg").read_bytes() == before


def test_without_boxes_there_is_no_sheet(tmp_path: Path) -> None:
    assert write_sheet(tmp_path / "sheet.jpg", [with_scores("a.jpg", 0.1)], VIEWS, COLOURS) == 0
    assert list(tmp_path.iterdir()) == []


def test_odd_pictures_and_names(tmp_path: Path) -> None:
    pictures = [
        seen("gone.jpg", found("닭", 0.9), file=tmp_path / "gone.jpg"),
        seen("thin", found("닭", 0.9, 0, 0, 1, 3000), file=saved(tmp_path / "thin.png", (1, 3000)), size=(1, 3000)),
        seen("x\n" * 300 + "😀.png", found("닭", 0.9), file=saved(tmp_path / "dot.png", (1, 1)), size=(1, 1)),
        seen("ﷺ" * 200 + ".png", found("unknown", 0.4), file=saved(tmp_path / "b.png")),
    ]
    assert contact_sheet(pictures, VIEWS, COLOURS).shape == (56 + 280 + 64, 12 + 4 * 292, 3)


def test_many_classes_wrap_and_end() -> None:
    names = [f"a class with a name {number}" for number in range(100)]
    one = seen("a.jpg", *(found(name, 0.9) for name in names))
    assert contact_sheet([one], VIEWS, colours(names)).shape[0] > 200
