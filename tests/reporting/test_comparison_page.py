"""The page of a comparison, as a browser shows it: tables to sort, curves to switch off, pictures, strangers' names."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, started
from PIL import Image

from yolo_pipeline.comparing.effects import effects
from yolo_pipeline.comparison import BoxChange, DataDifference, SavedImage
from yolo_pipeline.diagnosis import (
    Calibration,
    ConfidenceCurve,
    ConfusionMatrix,
    Diagnosis,
    Difference,
    FalseAlarms,
    Interval,
)
from yolo_pipeline.nouns import Box, ClassScores, Curves, Scores, Truth
from yolo_pipeline.reporting.pages.comparison import comparison_page
from yolo_pipeline.reporting.pages.comparison.words import COMPARISON_WORDS
from yolo_pipeline.results import Comparison, Judged, Results
from yolo_pipeline.run import Run

HOSTILE = "<script>window.pwned = 1</script>"
HOSTILE_IMAGE = '"><img src=x onerror="window.pwned = 2">'

Show = Callable[..., Browser]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Show:
    def opened(comparison: Comparison, lang: Any = "en", **size: int) -> Browser:
        file = tmp_path / "comparison.html"
        file.write_text(comparison_page(comparison, lang, effects), encoding="utf-8")
        chromium.open(file, **size)
        return chromium

    return opened


def attempt(
    root: Path, number: int, figure: float = 0.8, *, half: float = 0.05, title: str = "", epochs: int = 30
) -> Results:
    """A finished attempt of our own, judged on val and test, with curves of three epochs."""
    record = {
        "title": title or f"try {number}",
        "settings": {
            "attempt": number,
            "base": number - 1,
            "model": "yolov8n",
            "train": {"imgsz": 128, "epochs": epochs},
        },
        "changed": [{"key": "train.epochs", "before": 1, "after": epochs}],
        "data": {"names": ["pork", "egg"], "counts": {"train": {"images": 100, "boxes": 200}}},
        "training": {
            "parameters": 3_000_000 + number,
            "own_metrics": {"ultralytics/mAP50": 0.123},
            "used": {"device": "cpu"},
        },
        "seconds": {"train": 100.0 * number, "an_image": 0.02},
    }
    classes = {
        "pork": ClassScores(30, figure, 0.5, 0.7, 0.6, 0.65),
        "egg": ClassScores(10, figure / 2, 0.2, 0.3, 0.4, 0.35),
    }
    scores = Scores(20, 40, 50, figure, figure - 0.2, 0.7, 0.6, 0.65, 0.3, 30, classes)
    columns = {"epoch": (1.0, 2.0, 3.0), "train/box_loss": (3.0, 2.0, 1.0), "val/mAP50": (0.1, 0.5, float("nan"))}
    intervals = {name: Interval(figure - half, figure + half) for name in ("mAP50", "mAP50_95")}
    splits: tuple[Any, ...] = ("val", "test")
    return Results(
        number=number,
        run=Run(root / "runs" / f"attempt-{number}"),
        record=record,
        scores=dict.fromkeys(splits, scores),
        curves=Curves(columns),
        intervals=dict.fromkeys(splits, intervals),
        diagnoses={"val": diagnosis()},
    )


def diagnosis(classes: int = 2) -> Diagnosis:
    names = ("pork", "egg", *(f"class {number}" for number in range(classes - 2)))
    recalls = tuple(np.linspace(0, 1, 101).tolist())
    falling = tuple(1 - recall / 3 for recall in recalls)
    return Diagnosis(
        "val", 0.3, 20, 40, (), ConfusionMatrix(names, np.zeros((classes + 1, classes + 1), dtype=np.int64)), (), (), (), (),
        FalseAlarms(0, 0, (), 0), ConfidenceCurve(recalls, falling, falling, falling, falling, 0.3),
        recalls, dict.fromkeys(names, falling), Calibration(0.1, ()), (), 0.8,
    )  # fmt: skip


def imported(number: int, figure: float | None, **settings: Any) -> Results:
    """An entry of a list that somebody wrote down: settings and figures, nothing else."""
    record: dict[str, Any] = {
        "state": "finished",
        "imported": {"kind": "list", "file": "list.csv"},
        "title": f"row {number}",
        "settings": {"attempt": number, "title": f"row {number}", "model": "ssd", "train": settings},
        "training": {"used": {}, "own_metrics": {} if figure is None else {"reported/mAP50": figure}},
        "seconds": {},
        "versions": {},
    }
    return Results(number, Run(Path("runs") / f"attempt-{number}"), record, {}, Curves({}))


def long_list(count: int = 72) -> Comparison:
    """The last one has no figure; 40 is the best, 7 the worst."""
    figures = {number: 0.5 + number / 1000 for number in range(1, count + 1)} | {40: 0.9, 7: 0.1}
    rows = [
        imported(
            number, figures[number] if number < count else None, batch=(20, 50, 100)[number % 3], lr=0.01 * (number % 2)
        )
        for number in range(1, count + 1)
    ]
    return Comparison(tuple(rows))


def judged(a: int, b: int, delta: float, half: float, metric: str = "mAP50", *, shared: bool = False) -> Judged:
    return Judged(a, b, "val", metric, Difference(delta, Interval(delta - half, delta + half)), 20, shared)


def photo(root: Path, name: str, *truths: Truth, split: Any = "train", seed: int = 0) -> SavedImage:
    """A picture on the disk as a run noted it, 320 x 240 pixels."""
    file = root / "photos" / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    relative = file.relative_to(root).as_posix()
    return SavedImage(name, relative, split, hashlib.sha256(file.read_bytes()).hexdigest(), 320, 240, truths)


def two(root: Path, data: DataDifference | None = None, *judgements: Judged, **titles: str) -> Comparison:
    attempts = (attempt(root, 3, 0.7, epochs=20), attempt(root, 4, 0.8, epochs=30, **titles))
    return Comparison(attempts, judgements, {(3, 4): data} if data else {})


def see_all_plots(page: Browser) -> int:
    """Scrolls to each plot until it is drawn."""
    names = [plot.get_property("id") for plot in page.all(".plot")]
    for name in names:
        place = f"document.getElementById('{name}')"
        page.wait(f"{place}.scrollIntoView({{block: 'center', behavior: 'instant'}}); return {place}.data")
    return len(names)


def rows_of(page: Browser, table: str) -> list[list[str]]:
    script = "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
    found: list[list[str]] = page.run(script, table)
    return found


def choose(page: Browser, name: str, text: str) -> None:
    script = """
        const list = document.getElementById(arguments[0]);
        list.value = [...list.options].find((option) => option.text === arguments[1]).value;
        list.dispatchEvent(new Event("change"));
    """
    page.run(script, name, text)


def text_of(page: str) -> str:
    """What of a page is read: no markup, no data."""
    body = page[page.index("<main>") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def data_of(page: str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1), parse_constant=refuse)
    return data


def test_a_page_loads_from_disk_with_no_request_but_itself_and_no_complaint(tmp_path: Path, show: Show) -> None:
    truth = Truth(Box(10, 10, 60, 60), "pork")
    page = show(two(tmp_path, DataDifference(added=(photo(tmp_path, "a.png", truth),)), judged(3, 4, 0.1, 0.05)))
    assert see_all_plots(page) == 9  # four of scores, two curves, PR, F1, cost
    assert page.driver.title == "Comparison of attempts 3, 4"
    assert [url.rpartition("/")[2] for url in page.requests()] == ["comparison.html"]
    assert page.errors() == []
    assert page.run("return document.documentElement.lang") == "en"


def test_a_list_of_72_is_72_rows_sorted_by_a_click_on_a_heading(show: Show) -> None:
    page = show(long_list())
    assert len(rows_of(page, "#attempts table")) == 72
    assert rows_of(page, "#attempts table")[0][:2] == ["1", "row 1 "]
    click = (
        "[...document.querySelectorAll('#attempts thead button')].find((b) => b.textContent.includes('mAP50')).click()"
    )
    page.run(click)
    best = rows_of(page, "#attempts table")
    assert [best[0][0], best[-1][0]] == ["40", "72"]
    page.run(click)
    worst = rows_of(page, "#attempts table")
    assert [worst[0][0], worst[-1][0]] == ["7", "72"]  # what has no figure stays last
    assert page.run("return document.querySelectorAll('#attempts [aria-sort]').length") == 1


def test_a_list_from_elsewhere_has_a_plot_of_its_own_figures_and_no_empty_sections(show: Show) -> None:
    page = show(long_list())
    see_all_plots(page)
    assert page.errors() == []
    assert [section.get_property("id") for section in page.all("section")] == ["scores", "attempts", "effects"]
    assert page.text("#scores h2") == "The makers' own figures"


def test_which_setting_moved_map_is_a_dot_an_attempt_and_pairs_that_are_one_setting_apart(show: Show) -> None:
    figures = {(20, 0.1): 0.5, (20, 0.2): 0.6, (50, 0.1): 0.7, (50, 0.2): 0.8}
    entries = enumerate(figures.items(), start=1)
    page = show(Comparison(tuple(imported(number, value, batch=b, lr=lr) for number, ((b, lr), value) in entries)))
    assert rows_of(page, "#pairs") == [
        ["train.batch", "20", "50", "+0.200", "2"],
        ["train.lr", "0.1", "0.2", "+0.100", "2"],
    ]
    choose(page, "effect-setting", "train.lr")
    see_all_plots(page)
    assert page.run("return document.getElementById('effect-plot').data[1].x") == [0.1, 0.1, 0.2, 0.2]
    assert page.run("return document.getElementById('effect-plot').data[0].y") == pytest.approx([0.6, 0.7])


def test_an_attempt_switched_off_is_hidden_in_every_plot_until_it_is_switched_on(tmp_path: Path, show: Show) -> None:
    page = show(two(tmp_path))
    see_all_plots(page)
    visible = "return ['curve-0', 'curve-1', 'pr-plot', 'f1-plot'].map((id) => document.getElementById(id).data.map((t) => t.visible))"
    assert page.run(visible) == [[True, True]] * 4
    page.click("#curves .chip[data-attempt='1']")
    assert page.run(visible) == [[True, "legendonly"]] * 4
    assert page.one("#pr .chip[data-attempt='1']").get_attribute("aria-pressed") == "false"
    page.click("#pr .chip[data-attempt='1']")
    assert page.run(visible) == [[True, True]] * 4


def test_an_attempt_switched_off_before_a_plot_is_drawn_stays_off_in_it(tmp_path: Path, show: Show) -> None:
    page = show(two(tmp_path), height=300)
    assert page.run("return document.getElementById('curve-0').data === undefined")
    page.run("document.querySelector('.chip[data-attempt=\"0\"]').click()")
    see_all_plots(page)
    assert page.run("return document.getElementById('curve-0').data.map((t) => t.visible)") == ["legendonly", True]


def test_figures_of_classes_and_pr_curves_follow_what_is_chosen(tmp_path: Path, show: Show) -> None:
    page = show(two(tmp_path))
    assert rows_of(page, "#class-table") == [["pork", "0.700", "0.800"], ["egg", "0.350", "0.400"]]
    choose(page, "class-figure", "objects")
    assert rows_of(page, "#class-table") == [["pork", "30", "30"], ["egg", "10", "10"]]
    choose(page, "pr-class", "egg")
    see_all_plots(page)
    assert page.run("return document.getElementById('pr-plot').data[0].y.at(-1)") == 0.667


def test_names_of_strangers_are_text(tmp_path: Path, show: Show) -> None:
    first, second = attempt(tmp_path, 3), attempt(tmp_path, 4, title=HOSTILE)
    second.record["settings"]["train"][HOSTILE] = HOSTILE_IMAGE
    second.record["settings"]["notes"] = HOSTILE_IMAGE
    second.record["told"] = {HOSTILE: [HOSTILE_IMAGE]}
    second.record["training"]["own_metrics"][HOSTILE] = 0.5
    second.scores["val"].classes[HOSTILE_IMAGE] = ClassScores(1, 0.1, 0.1, 0.1, 0.1, 0.1)
    truths = (Truth(Box(10, 10, 60, 60), HOSTILE), Truth(Box(12, 10, 66, 60), HOSTILE_IMAGE))
    image = photo(tmp_path, HOSTILE_IMAGE, *truths)
    data = DataDifference(
        added=(image,), relabelled=(BoxChange(image, *truths, 0.9),), classes_renamed=((HOSTILE, HOSTILE_IMAGE),)
    )
    page = show(Comparison((first, second), (), {(3, 4): data}, (f"{HOSTILE} and {HOSTILE_IMAGE}",)))
    see_all_plots(page)
    assert page.run("return window.pwned") is None
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
    assert rows_of(page, "#class-table")[-1] == [HOSTILE_IMAGE, "–", "0.100"]
    words = page.text("main")
    for place in ("aside", "#attempts", "#steps", "#told"):
        assert HOSTILE in page.text(place), place
    assert words.count(HOSTILE_IMAGE) > 5
    assert page.errors() == []


def test_half_a_character_in_a_name_does_not_keep_the_page_from_being_written(tmp_path: Path) -> None:
    one = attempt(tmp_path, 4, title="half \ud83d")
    one.record["training"]["own_metrics"]["half \udc00"] = 0.5
    one.scores["val"].classes["half \ud83d"] = ClassScores(1, 0.1, 0.1, 0.1, 0.1, 0.1)
    one.record["settings"]["train"]["half \ud83d"] = "half \ud83d"
    assert comparison_page(Comparison((attempt(tmp_path, 3), one)), effects=effects).encode("utf-8")


def test_korean_has_korean_words_and_a_font_for_them(tmp_path: Path, show: Show) -> None:
    comparison = two(tmp_path, None, judged(3, 4, 0.1, 0.05), title="배경 사진 추가")
    page = show(replace(comparison, notes=("told in English",)), "ko")
    assert page.one("aside").get_attribute("lang") == "en"
    assert page.run("return document.documentElement.lang") == "ko"
    assert page.text("h1") == "시도 3, 4 비교"
    assert "나아짐" in page.text("#steps")
    assert "배경 사진 추가" in page.text("#attempts")
    assert page.run("return document.fonts.check('16px names', '시도')")


def test_both_languages_have_every_word_with_the_same_figures_in_it() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, korean = COMPARISON_WORDS["en"], COMPARISON_WORDS["ko"]
    assert english.keys() == korean.keys()
    assert {key: places(text) for key, text in english.items()} == {key: places(text) for key, text in korean.items()}
    assert all(re.search("[가-힣]", text) for key, text in korean.items() if text != english[key])


def test_korean_sentences_are_polite_and_its_nouns_are_those_of_an_attempts_page() -> None:
    korean = COMPARISON_WORDS["ko"].values()
    assert [text for text in korean if re.search(r"(?<!니)다\.", text)] == []
    assert [text for text in korean if re.search("사진|상자|물체|매개변수", text)] == []


@pytest.mark.parametrize("many", [False, True], ids=["side by side", "a row each"])
def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path, show: Show, many: bool) -> None:
    long_title = "a_very_long_title_without_any_blank_that_could_be_broken_" * 3
    comparison = long_list() if many else two(tmp_path, None, judged(3, 4, 0.1, 0.05, shared=True), title=long_title)
    page = show(comparison, "ko" if many else "en", width=390, height=800)
    see_all_plots(page)
    assert page.run("return document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize(
    ("delta", "half", "word"),
    [
        pytest.param(0.1, 0.05, "better", id="above zero"),
        pytest.param(-0.1, 0.05, "worse", id="below zero"),
        pytest.param(0.1, 0.2, "no clear difference", id="zero inside"),
    ],
)
def test_a_difference_is_called_better_only_outside_its_interval(
    tmp_path: Path, delta: float, half: float, word: str
) -> None:
    text = text_of(comparison_page(two(tmp_path, None, judged(3, 4, delta, half))))
    assert f"val mAP50 {delta:+.3f} [{delta - half:+.3f}, {delta + half:+.3f}] {word} 20" in text
    assert "not the luck of training" in text


@pytest.mark.parametrize(
    ("judgements", "marked"),
    [
        pytest.param([judged(3, 4, 0.1, 0.05)], True, id="clearly better on the same images"),
        pytest.param([judged(3, 4, 0.1, 0.2)], False, id="inside the interval"),
        pytest.param([judged(3, 4, 0.1, 0.05, shared=True)], False, id="on other images"),
        pytest.param([], False, id="not compared"),
    ],
)
def test_the_best_is_marked_only_outside_its_interval(tmp_path: Path, judgements: list[Judged], marked: bool) -> None:
    text = text_of(comparison_page(two(tmp_path, None, *judgements)))
    assert ("★ 0.800" in text) == marked
    assert "★ 0.700" not in text


def test_the_best_of_three_must_be_apart_from_the_one_that_it_was_not_paired_with(tmp_path: Path) -> None:
    pairs = (judged(1, 2, 0.1, 0.05), judged(2, 3, 0.2, 0.05))
    wide = tuple(attempt(tmp_path, n, value, half=0.2) for n, value in ((1, 0.5), (2, 0.6), (3, 0.8)))
    narrow = tuple(attempt(tmp_path, n, value, half=0.05) for n, value in ((1, 0.5), (2, 0.6), (3, 0.8)))
    assert "★" not in text_of(comparison_page(Comparison(wide, pairs)))
    assert "★ 0.800" in text_of(comparison_page(Comparison(narrow, pairs)))


def test_what_became_of_the_data_is_told_and_shown(tmp_path: Path) -> None:
    before, after = Truth(Box(100, 100, 160, 160), "pork"), Truth(Box(110, 105, 150, 150), "pork")
    photos = [photo(tmp_path, f"{number}.png", after, seed=number) for number in range(12)]
    data = DataDifference(
        added=tuple(photos),
        moved=((photos[0], "val"),),
        redrawn=(BoxChange(photos[1], before, after, 0.5), BoxChange(photos[2], before, after, 0.8)),
        boxes_removed=(BoxChange(photos[3], before, None),),
        classes_renamed=(("eggs", "egg"),),
        backgrounds=(2, 7),
    )
    page = comparison_page(two(tmp_path, data))
    text = text_of(page)
    assert "Photos added: 12 (train 12)" in text
    assert "and 4 more" in text
    assert "Photos in another split: 1 (val → train 1)" in text
    assert "Boxes redrawn: 2 (median IoU of before and after 0.65 · before: dashed, after: solid)" in text
    assert "Boxes removed, on photos that both have: 1 (pork 1)" in text
    assert "Classes renamed: 1 (eggs → egg)" in text
    assert "Photos without objects: 2 → 7" in text
    assert page.count("<image ") == 8 + 1 + 2 + 1
    assert page.count('<rect class="before" x="100" y="100" width="60" height="60">') == 3
    assert page.count('<rect class="after" x="110" y="105" width="40" height="45">') == 8 + 1 + 2


def test_a_photo_that_is_gone_or_was_changed_is_counted_instead_of_shown(tmp_path: Path) -> None:
    kept, gone, changed = (photo(tmp_path, name, seed=at) for at, name in enumerate(("kept", "gone", "changed")))
    (tmp_path / gone.file).unlink()
    Image.new("RGB", (320, 240)).save(tmp_path / changed.file)
    strange = [SavedImage(name, name, "train", "0" * 64, 320, 240, ()) for name in ("nul\0.png", "x" * 300, "runs")]
    page = comparison_page(two(tmp_path, DataDifference(added=(kept, gone, changed, *strange))))
    assert page.count("<image ") == 1
    assert "Photos added: 6 (train 6)" in text_of(page)
    assert "as the file is gone or was changed: 5" in text_of(page)


def test_data_that_was_not_noted_is_said_to_be_unknown(tmp_path: Path) -> None:
    assert "The data of one of them was not noted" in text_of(comparison_page(two(tmp_path)))
    assert "The data is the same" in text_of(comparison_page(two(tmp_path, DataDifference())))


def test_settings_that_changed_are_told_from_step_to_step(tmp_path: Path) -> None:
    text = text_of(comparison_page(two(tmp_path)))
    assert "From attempt 3 to attempt 4 setting before after train.epochs 20 30" in text
    assert "train.imgsz" not in text


def test_what_makers_of_a_run_tell_stands_there(tmp_path: Path) -> None:
    one, other = imported(1, 0.7, epochs=150), imported(2, 0.5, epochs=300)
    other.record["told"] = {"problems": ["chicken taken for pork"], "next": ["fewer classes", "redraw boxes"]}
    other.record["changed"] = [{"key": "as told", "before": None, "after": "classes 14 to 6"}]
    text = text_of(comparison_page(Comparison((one, other))))
    assert "attempt 2: row 2 problems chicken taken for pork next fewer classes; redraw boxes" in text
    assert "From attempt 1 to attempt 2 classes 14 to 6 setting before after train.epochs 150 300" in text


def test_what_was_changed_against_a_base_that_is_not_the_neighbour_stands_in_the_table(tmp_path: Path) -> None:
    neighbours, apart = (Comparison((attempt(tmp_path, 1), attempt(tmp_path, n))) for n in (2, 3))
    for comparison in (neighbours, apart):
        comparison.attempts[0].record["changed"].clear()
    assert "changed against its base" not in text_of(comparison_page(neighbours))
    assert "changed against its base – train.epochs: 1 → 30" in text_of(comparison_page(apart))


def test_figures_of_makers_are_never_among_the_judges(tmp_path: Path) -> None:
    data = data_of(comparison_page(Comparison((attempt(tmp_path, 1, 0.8), imported(2, 0.99)))))
    metrics = {metric["name"]: metric for metric in data["metrics"]}
    assert metrics["val mAP50"]["values"] == [0.8, None]
    assert metrics["reported/mAP50"]["values"] == [None, 0.99]
    assert [name for name, metric in metrics.items() if metric["own"]] == ["ultralytics/mAP50", "reported/mAP50"]


def test_what_is_no_number_leaves_a_gap_and_no_nan_in_the_data(tmp_path: Path) -> None:
    odd = imported(2, 0.5, lr=float("nan"), batch=float("inf"), steps=10**400)
    odd.record["training"]["own_metrics"] = {"reported/mAP50": float("nan"), "reported/mAP75": "0.5", "loss": True}
    odd.record["seconds"] = {"train": "long", "an_image": float("inf")}
    data = data_of(comparison_page(Comparison((attempt(tmp_path, 1), odd)), effects=effects))
    assert data["curves"][0]["columns"]["val/mAP50"] == [0.1, 0.5, None]
    assert data["curves"][1] is None
    assert all(metric["values"][1] is None for metric in data["metrics"])


def test_twenty_attempts_with_many_classes_and_pictures_stay_small(tmp_path: Path) -> None:
    rows = 1000
    columns = {
        name: tuple(np.random.default_rng(0).random(rows).tolist())
        for name in ("epoch", *(f"val/m{n}" for n in range(12)))
    }
    photos = tuple(photo(tmp_path, f"{n}.png", Truth(Box(5, 5, 90, 90), "egg"), seed=n) for n in range(8))
    attempts = []
    for number in range(1, 21):
        one = attempt(tmp_path, number)
        attempts.append(
            Results(
                one.number,
                one.run,
                one.record,
                one.scores,
                Curves(columns),
                one.intervals,
                {"val": diagnosis(300), "test": diagnosis(300)},
            )
        )
    data = {
        (n, n + 1): DataDifference(added=photos, removed=photos, moved=tuple((p, "val") for p in photos))
        for n in range(1, 20)
    }
    page = comparison_page(Comparison(tuple(attempts), (), data))
    assert 5_000_000 < len(page.encode("utf-8")) < 15_000_000
    assert len(data_of(page)["curves"][0]["columns"]["val/m0"]) <= 601
