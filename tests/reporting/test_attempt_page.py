"""report.html of one attempt, as a browser shows it: figures, plots, matrix, gallery and slider, strangers' names."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, started
from PIL import Image

from yolo_pipeline.diagnosis import Advice, Case, ConfusionMatrix, CurveReading, Interval
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import JUDGED, Box, Curves, Detection, Split, Truth
from yolo_pipeline.reporting.pages.attempt import attempt_page
from yolo_pipeline.results import Results
from yolo_pipeline.run import Run

DIGITS = Path(__file__).parents[1] / "data" / "judged"
CONF = 0.448843  # of the best F1 on the digits' val
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "%{y} $x^2$ <b>bold</b> &lt;")
ADVICE = Advice(
    "larger val set",
    "mAP50 on val lies between 0.900 and 0.990",
    "Few images, so that much depends on which they are.",
    "Add images to val.",
    "Efron, 1979",
    changes=(("train.epochs", 32), ("train.freeze", None)),
    images=("images/val/scene_003.jpg",),
    figures={"low": 0.9, "high": 0.99, "pictures": 40, "confidence": 0.95, "wanted": 200},
)
CURVES = Curves(
    {
        "epoch": (1.0, 2.0, 3.0),
        "train/box_loss": (3.0, 2.0, 1.0),
        "val/box_loss": (3.0, 2.5, float("nan")),
        "val/mAP50": (0.1, 0.5, 0.9),
        "val/mAP50_95": (0.1, 0.3, 0.6),
    }
)
READING = CurveReading(3, 16, 3, 0.12, 0.05, 2, 0.08, True)

Make = Callable[..., Results]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def results(tmp_path: Path) -> Make:
    """A function that makes the results of the digits' fifth attempt in a folder of the test's own."""
    return lambda change=None, record=None: _results(tmp_path, change, record)


def _results(root: Path, change: Change | None = None, record: Mapping[str, Any] | None = None) -> Results:
    """The saved detections of the digits' fifth attempt on its truth, which `change` may have its way with."""
    run = Run(root / "runs" / "attempt-5")
    scores, diagnoses = {}, {}
    (run.folder / "judged").mkdir(parents=True, exist_ok=True)
    for split in JUDGED:
        shutil.copy(DIGITS / f"{split}-detections.json", run.detections_file(split))
        truth = json.loads((DIGITS / f"{split}-truth.json").read_text(encoding="utf-8"))
        if change:
            change(truth)
        run.truth_file(split).write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")
        pair = load_pair(run.truth_file(split), run.detections_file(split))
        scores[split], diagnoses[split] = judge(*pair), diagnose(*pair, split, CONF, 128)
        _draw(root / "datasets", truth)
    ranges: dict[Split, dict[str, Interval]] = {split: {"mAP50": Interval(0.91, 0.995)} for split in JUDGED}
    return Results(
        5, run, record or _record(), scores, CURVES, ranges, diagnoses, READING, (ADVICE,), root / "datasets"
    )


def _record(**settings: Any) -> dict[str, Any]:
    counts = {"images": 40, "boxes": 107, "backgrounds": 2, "classes": {"0": 18}}
    return {
        "state": "finished",
        "attempt": 5,
        "title": settings.get("title", "more images"),
        "settings": {"base": 4, "model": "yolov8n", "train": {"imgsz": 128, "epochs": 16}, "notes": "", **settings},
        "changed": [{"key": "train.epochs", "before": 30, "after": 16}],
        "data": {"names": ["0"], "counts": {"val": counts}, "fixed": [], "dropped": [], "skipped": []},
        "training": {"used": {"imgsz": 128, "batch": 16}, "own_metrics": {"ultralytics/mAP50": 0.98843}},
        "findings": [{"severity": "warning", "kind": "tiny boxes", "text": "3 boxes are tiny", "remedy": "Look"}],
        "seconds": {"train": 224.8},
        "versions": {"python": "3.11.7"},
    }


def _draw(folder: Path, truth: dict[str, Any]) -> None:
    """The truth's pictures: noise, a dark square for each object."""
    rng = np.random.default_rng(0)
    for image in truth["images"]:
        pixels = rng.integers(190, 230, (image["height"], image["width"], 3), dtype=np.uint8)
        for row in truth["annotations"]:
            if row["image_id"] == image["id"]:
                x, y, width, height = (round(value) for value in row["bbox"])
                pixels[y : y + height, x : x + width] //= 3
        if ".." not in image["file_name"] and "\0" not in image["file_name"] and len(image["file_name"]) < 200:
            file = folder / image["file_name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file, "JPEG")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the digits' fifth attempt."""
    folder = tmp_path_factory.mktemp("digits")
    return _written(folder, _results(folder))


@pytest.fixture
def page(chromium: Browser, digits: Path) -> Browser:
    """That page, opened anew."""
    chromium.open(digits)
    return chromium


@pytest.fixture
def seen(chromium: Browser, digits: Path) -> Browser:
    """That page as the test before left it, for tests that do not mind."""
    if chromium.driver.current_url != digits.as_uri():
        chromium.open(digits)
    return chromium


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """A function that opens the page of some results."""

    def opened(results: Results, lang: Any = "en") -> Browser:
        chromium.open(_written(tmp_path, results, lang))
        return chromium

    return opened


def _written(folder: Path, results: Results, lang: Any = "en") -> Path:
    file = folder / f"report-{lang}.html"
    file.write_text(attempt_page(results, lang), encoding="utf-8")
    return file


def counts(page: Browser, split: str = "val") -> list[int]:
    """Boxes, found, missed, false, as the page says."""
    place = f'[data-counts="{split}"] [data-count='
    return [int(page.text(f'{place}"{key}"]')) for key in ("boxes", "found", "missed", "false")]


def slide(page: Browser, conf: float) -> None:
    page.run(
        "const s = document.getElementById('conf'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", conf
    )


def test_a_page_loads_from_disk_with_no_request_but_itself_and_no_complaint(page: Browser) -> None:
    for place in page.all(".plot"):
        page.run("arguments[0].scrollIntoView({behavior: 'instant'})", place)
        page.wait(f"return document.querySelector('#{place.get_attribute('id')} svg.main-svg')")
    assert page.driver.title == "Attempt 5: more images"
    assert [url.rpartition("/")[2] for url in page.requests()] == ["report-en.html"]
    assert page.errors() == []
    assert page.run("return document.documentElement.lang") == "en"


def test_cards_say_the_judges_figures_with_their_intervals(seen: Browser) -> None:
    said = {key: seen.text(f'[data-split="val"][data-metric="{key}"] .figure') for key in ("mAP50", "precision", "f1")}
    assert said == {"mAP50": "0.987", "precision": "0.945", "f1": "0.954"}
    assert "(0.910 to 0.995)" in seen.text('[data-split="val"][data-metric="mAP50"]')
    assert "choice of images" in seen.text("#figures")
    # 105 of 113 objects found by 112 boxes at val's confidence, not at the one that would be best on test
    assert seen.text('#test [data-split="test"][data-metric="recall"] .figure') == "0.929"


def test_advice_comes_first_after_the_cards_with_its_settings(seen: Browser) -> None:
    headings = [heading.get_property("textContent") for heading in seen.all("main h2")]
    assert headings[:3] == ["Figures", "What to try next", "What was changed"]
    assert headings.index("Test") > headings.index("The pictures, the worst first")
    said = seen.text("#advice")
    for part in (ADVICE.measured, ADVICE.cause, ADVICE.remedy, ADVICE.source, *ADVICE.images, "train.epochs: 32"):
        assert part in said
    assert "train.freeze: removed" in said


def test_where_no_rule_was_triggered_nothing_was_found(results: Make) -> None:
    assert "Nothing found: no rule was triggered" in attempt_page(replace(results(), advice=()))


def test_the_slider_counts_as_the_judge_does(page: Browser) -> None:
    """Literal numbers: pycocotools 2.0 on the detections of at least that confidence."""
    assert counts(page) == [109, 103, 4, 6]
    assert counts(page, "test") == [112, 105, 8, 7]
    slide(page, 0.8)
    assert counts(page) == [67, 66, 41, 1]
    assert counts(page, "test") == [70, 70, 43, 0]
    slide(page, 0.1)
    assert counts(page) == [154, 106, 1, 48]
    page.click("#conf-reset")
    assert counts(page) == [109, 103, 4, 6]
    assert page.text("#conf-value") == "0.449"


def test_the_slider_redraws_the_boxes_of_the_gallery(page: Browser) -> None:
    first = '[data-gallery="val"] figure:first-child '
    assert page.text(first + ".file") == "images/val/more_019.jpg"  # a 1 taken for a 2: one missed, one false
    assert page.text(first + ".tally") == "2 found1 missed1 false"
    slide(page, 0.995)
    page.wait("return document.querySelector('.gallery figure .tally').textContent === '3 missed'")
    assert len(page.all(first + ".box.missed")) == 3
    assert len(page.all(first + ".box.hit, " + first + ".box.false")) == 0
    assert page.one(first + "image").get_attribute("href").startswith("data:image/jpeg;base64,")


def test_the_slider_follows_the_keyboard(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    page.run("document.getElementById('conf').focus()")
    page.one("#conf").send_keys(Keys.ARROW_RIGHT)
    assert float(page.text("#conf-value")) > CONF


def test_a_gallery_shows_every_image_in_the_end_and_enlarges_one(page: Browser) -> None:
    assert len(page.all('[data-gallery="val"] figure')) == 12
    for _ in range(3):
        page.click('[data-gallery="val"] > button')
    assert len(page.all('[data-gallery="val"] figure')) == 40
    assert not page.one('[data-gallery="val"] > button').is_displayed()
    page.click('[data-gallery="val"] .picture')
    assert page.text("dialog h3") == "images/val/more_019.jpg"
    assert len(page.all("dialog .box")) == 6  # three objects, three boxes
    page.click("dialog button")
    page.wait("return !document.querySelector('dialog')")


def test_a_cell_opens_the_crops_behind_it(seen: Browser) -> None:
    cell = '#matrix td button[data-cell="{}"]'.format
    assert seen.text(cell("1,2")) == "1"
    seen.click(cell("1,2"))
    assert seen.text("#crops-val h3") == "1 taken for 2: 1"
    assert len(seen.all("#crops-val li svg")) == 1
    assert seen.text("#crops-val li .file") == "images/val/more_019.jpg"
    assert seen.run("return document.activeElement.id") == "crops-val"
    seen.click(cell("6,3"))  # the last row: nothing is there, a 3 was said
    assert seen.text("#crops-val h3") == "3 where nothing is: 4"
    assert len(seen.all("#crops-val li")) == len(seen.all("#crops-val li image")) == 4
    seen.click(cell("0,0"))
    assert len(seen.all("#crops-val li")) == 12
    assert "12 of 18 shown" in seen.text("#crops-val")
    seen.click("#crops-val .panel-head button")
    assert not seen.one("#crops-val").is_displayed()


def test_confused_pairs_are_said_in_words_and_open_their_cell(seen: Browser) -> None:
    assert seen.text(".pairs li").startswith("1 taken for 2, once")
    seen.click(".pairs li button")
    assert seen.text("#crops-val h3") == "1 taken for 2: 1"


def test_suspects_are_shown_with_crops_and_where_they_lie(results: Make, show: Callable[..., Browser]) -> None:
    made = results()
    made.run.suspects.mkdir()
    page = show(made)
    suspects = made.diagnoses["val"].suspects
    assert suspects
    assert len(page.all("#suspects li image")) == len(suspects)
    assert suspects[0].image in page.text("#suspects li:first-child")
    assert made.run.suspects.as_posix() in page.text("#suspects")


def test_plots_are_drawn_and_a_click_on_a_name_switches_its_curve_off(seen: Browser) -> None:
    seen.run("document.getElementById('plot-confidence').scrollIntoView({block: 'center', behavior: 'instant'})")
    seen.wait("return document.querySelector('#plot-confidence svg.main-svg .legendtoggle')")
    names = seen.run("return document.getElementById('plot-confidence').data.map(trace => trace.name)")
    assert names == ["precision", "recall", "F1", "boxes an image"]
    assert "best F1 0.449" in seen.text("#plot-confidence")
    seen.one("#plot-confidence .legendtoggle").click()
    seen.wait("return document.getElementById('plot-confidence').data[0].visible === 'legendonly'")
    plots = seen.run("return [...document.querySelectorAll('.plot')].map(plot => plot.id)")
    assert plots == ["curve-0", "curve-1", "plot-pr", "plot-confidence", "plot-calibration"]


def test_colours_follow_the_system(seen: Browser) -> None:
    seen.run("document.getElementById('plot-pr').scrollIntoView({behavior: 'instant'})")
    seen.wait("return document.querySelector('#plot-pr svg.main-svg')")
    line = "return document.getElementById('plot-pr').data[0].line.color"
    light = seen.run(line), seen.run("return getComputedStyle(document.body).backgroundColor")
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    seen.wait(f"return (() => {{ {line} }})() !== '{light[0]}'")
    assert seen.run("return getComputedStyle(document.body).backgroundColor") != light[1]
    seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_names_of_strangers_are_text_and_run_nothing(results: Make, show: Callable[..., Browser]) -> None:
    def hostile(truth: dict[str, Any]) -> None:
        for category, name in zip(truth["categories"], HOSTILE, strict=False):
            category["name"] = name
        for image, name in zip(truth["images"], HOSTILE, strict=False):
            image["file_name"] = name
        truth["images"][3]["file_name"] = "../" * 5 + "etc/passwd"
        truth["images"][4]["file_name"] = "long" * 100

    record = _record(title=HOSTILE[0], notes=HOSTILE[1], model=HOSTILE[1], pretrained=HOSTILE[0])
    page = show(replace(results(hostile, record), advice=(replace(ADVICE, measured=HOSTILE[0], images=HOSTILE),)))
    page.run("window.alert = () => { window.ran = true; }")
    for cell in page.all("#matrix td button"):
        page.run("arguments[0].click()", cell)
    for name in ("plot-pr", "curve-0"):
        page.run("document.getElementById(arguments[0]).scrollIntoView({behavior: 'instant'})", name)
        page.wait(f"return document.querySelector('#{name} svg.main-svg')")
    assert page.text("h1") == HOSTILE[0]
    assert page.driver.title == f"Attempt 5: {HOSTILE[0]}"
    said = page.run("return document.querySelector('main').textContent")
    assert all(name in said for name in HOSTILE)
    legend = page.run("return [...document.querySelectorAll('#plot-pr .legendtext')].map(text => text.textContent)")
    assert legend[:3] == list(HOSTILE)
    assert page.run("return window.ran") is None
    assert page.all("main script, main img, main b b, .legendtext [style*=bold]") == []
    assert page.errors() == []
    assert [url.rpartition("/")[2] for url in page.requests()] == ["report-en.html"]


def test_in_korean_every_word_of_ours_is(results: Make, show: Callable[..., Browser]) -> None:
    def in_hangul(truth: dict[str, Any]) -> None:
        truth["categories"][0]["name"] = "양파"

    page = show(results(in_hangul), "ko")
    assert page.run("return document.documentElement.lang") == "ko"
    headings = [heading.get_property("textContent") for heading in page.all("main h2")]
    assert len(headings) == 16
    assert [heading for heading in headings if not re.search("[가-힣]", heading)] == []
    assert "양파" in page.text("#matrix")
    assert "val 40장" in page.text("#advice")
    page.click('#matrix td button[data-cell="1,2"]')
    assert page.text("#crops-val h3") == "'1' 클래스를 '2' 클래스로 봄: 1"
    assert "이미지 더 보기" not in page.text("#gallery")
    assert page.text('[data-gallery="val"] > button') == "더 보기 (28장 남음)"
    page.run("return document.fonts.ready")
    assert page.run("return document.fonts.check('16px names', '양파')")


def test_every_word_is_there_in_both_languages_with_the_same_figures() -> None:
    from yolo_pipeline.reporting.pages.attempt.explanations import ERRORS, FIGURES
    from yolo_pipeline.reporting.pages.attempt.words import WORDS

    both = [*WORDS.items(), *ERRORS.items(), *FIGURES.items()]
    fields = re.compile(r"\{(\w+)\}")
    assert [key for key, (en, ko) in both if sorted(fields.findall(en)) != sorted(fields.findall(ko))] == []
    same = {key for key, (en, ko) in both if not re.search("[가-힣]", ko)}
    assert same <= {"on_test", "range", "f1", "best_f1", "milliseconds"}


def test_on_a_phone_nothing_reaches_out_of_the_page(page: Browser, digits: Path) -> None:
    page.open(digits, width=390, height=844)
    page.click('#matrix td button[data-cell="6,3"]')
    for details in page.all("details"):
        page.run("arguments[0].open = true", details)
    for place in page.all(".plot"):
        page.run("arguments[0].scrollIntoView({behavior: 'instant'})", place)
        page.wait(f"return document.querySelector('#{place.get_attribute('id')} svg.main-svg')")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth && innerWidth") == 390


def test_pictures_that_are_gone_or_broken_leave_their_boxes(
    results: Make, show: Callable[..., Browser], tmp_path: Path
) -> None:
    made = results()
    (tmp_path / "datasets" / "images" / "val" / "more_019.jpg").unlink()
    (tmp_path / "datasets" / "images" / "val" / "scene_144.jpg").write_bytes(b"\xff\xd8\xff no picture")
    page = show(made)
    first = '[data-gallery="val"] figure:nth-child({}) '.format
    for place in (1, 2):
        assert page.all(first(place) + "image") == []
        assert "no picture" in page.text(first(place) + "figcaption")
        assert len(page.all(first(place) + ".box")) > 3
    assert len(page.all(first(3) + "image")) == 1
    page.click('#matrix td button[data-cell="1,2"]')
    assert len(page.all("#crops-val li .box")) == 2
    page = show(replace(made, dataset=None))
    assert page.all("image") == []
    assert page.errors() == []


def test_a_run_from_elsewhere_shows_what_it_left(show: Callable[..., Browser], tmp_path: Path) -> None:
    record = {"imported": {"kind": "yolov5", "file": "results.csv"}, "state": "finished", "settings": {}, "seconds": {}}
    record["training"] = {"own_metrics": {"yolov5/mAP50": 0.71552}}
    page = show(Results(7, Run(tmp_path), record, {}, Curves({})))
    assert "No detections were saved" in page.text("#figures")
    assert "0.7155" in page.text("#figures")
    assert "Nothing was judged" in page.text("#advice")
    assert "did not note its audit" in page.text("#audit")
    assert "imported from results.csv" in page.text("header")
    assert page.text("h1") == "Attempt 7"
    assert page.all("#conf") == []
    page = show(Results(7, Run(tmp_path), record, {}, CURVES))
    page.run("document.getElementById('curve-1').scrollIntoView()")
    page.wait("return document.querySelector('#curve-1 svg.main-svg')")
    assert page.errors() == []


def test_numbers_that_are_none_are_dashes_and_gaps(results: Make, show: Callable[..., Browser]) -> None:
    made, nan = results(), float("nan")
    diagnosis = made.diagnoses["val"]
    curve = replace(diagnosis.curve, precision=(nan,) * 101, f1=(nan,) * 101, best=None)
    odd = replace(diagnosis, curve=curve, median_iou=None, recalls=(nan,) * 101)
    scores = replace(made.scores["val"], mAP50=None, mAP50_95=nan)
    page = show(replace(made, diagnoses={"val": odd}, scores={"val": scores}, intervals={}, reading=None))
    assert page.text('[data-metric="mAP50"] .figure') == "–"
    assert page.text('[data-metric="mAP50_95"] .figure') == "–"
    assert page.all("#test") == []
    assert page.errors() == []


def test_percents_are_written_with_a_space(results: Make) -> None:
    made = results()
    for lang in ("en", "ko"):
        said = re.sub(
            r"<style>.*?</style>|<script.*?</script>|style=\"[^\"]*\"", "", attempt_page(made, lang), flags=re.DOTALL
        )
        assert re.findall(r"\d%", said) == []
        assert "95 %" in said
        assert "5.6 %" in said  # 1 of 18


def test_where_no_map_came_above_zero_no_epoch_is_called_the_best(results: Make) -> None:
    flat = Curves({**CURVES.columns, "val/mAP50": (0.0,) * 3, "val/mAP50_95": (0.0,) * 3})
    page = attempt_page(replace(results(), curves=flat))
    assert "no mAP on val came above 0" in page
    assert "Best mAP50-95" not in page
    assert '"best: 3"' not in page
    only = Curves({name: column for name, column in CURVES.columns.items() if name != "val/mAP50_95"})
    assert "Best mAP50 on val in epoch 3" in attempt_page(replace(results(), curves=only))


def test_where_nothing_is_right_no_confidence_is_called_the_best(results: Make) -> None:
    made = results()
    boxes = json.loads(made.run.detections_file("val").read_text(encoding="utf-8"))
    for box in boxes:
        box["bbox"] = [0.0, 0.0, 1.0, 1.0]
    made.run.detections_file("val").write_text(json.dumps(boxes), encoding="utf-8")
    pair = load_pair(made.run.truth_file("val"), made.run.detections_file("val"))
    page = attempt_page(
        replace(made, scores={"val": judge(*pair)}, diagnoses={"val": diagnose(*pair, "val", CONF, 128)})
    )
    assert "F1 is best" not in page
    assert "best F1" not in page


def test_what_was_changed_may_be_told_in_words(results: Make) -> None:
    record = _record()
    record["changed"] = [
        {"key": "as told", "before": None, "after": "classes 14 to 6"},
        "boxes redrawn",
        *record["changed"],
    ]
    page = attempt_page(results(record=record))
    assert "As its makers tell it: classes 14 to 6; boxes redrawn." in page
    assert "<code>as told</code>" not in page
    assert "<code>train.epochs</code>" in page


def test_a_finding_of_a_severity_that_is_not_known_is_still_shown(results: Make) -> None:
    record = _record()
    record["findings"] = [{"severity": "<b>new", "text": "of a later version", "remedy": "Look"}]
    page = attempt_page(results(record=record))
    assert '<strong class="severity">&lt;b&gt;new</strong>' in page
    assert "of a later version. Look" in page


def test_printed_no_plot_or_matrix_is_torn_and_what_only_a_screen_needs_is_gone(seen: Browser) -> None:
    seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        assert [seen.run(style, place, "breakInside") for place in (".plot", ".matrix", ".card", "figure")] == [
            "avoid"
        ] * 4
        assert seen.run(style, "h2", "breakAfter") == "avoid"
        assert [seen.run(style, place, "display") for place in ("nav.contents", ".slide")] == ["none"] * 2
        assert seen.run(style, ".meter i", "printColorAdjust") == "exact"
    finally:
        seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_numbers_in_the_matrix_can_be_read_on_every_shade_light_and_dark(seen: Browser) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 at the least."""
    contrasts = """
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const light = (colour) => {
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map(
            (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return [...document.querySelectorAll("#matrix td button")].map((button) => {
          const style = getComputedStyle(button), [a, b] = [light(style.color), light(style.backgroundColor)];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
    """
    try:
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            found = seen.run(contrasts)
            assert len(found) == 11
            assert min(found) >= 4.5
    finally:
        seen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_damaged_file_of_the_run_is_named(results: Make) -> None:
    made = results()
    made.run.detections_file("val").write_text("[{]", encoding="utf-8")
    with pytest.raises(InputError, match=r"val-detections\.json"):
        attempt_page(made)


def test_the_same_results_give_the_same_page(results: Make) -> None:
    made = results()
    assert attempt_page(made) == attempt_page(made)


def test_many_crops_and_pictures_stay_within_the_budget(results: Make, tmp_path: Path) -> None:
    """Noise, which JPEG can hardly make smaller, and 1,500 mistakes in 30 cells."""
    made, rng = results(), np.random.default_rng(0)
    names = tuple("abcdef")
    for number in range(60):
        pixels = rng.integers(0, 255, (480, 480, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "datasets" / f"{number}.jpg")
    truth = {
        "images": [{"id": n + 1, "file_name": f"{n}.jpg", "width": 480, "height": 480} for n in range(60)],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [],
    }
    made.run.truth_file("val").write_text(json.dumps(truth), encoding="utf-8")
    made.run.detections_file("val").write_text("[]", encoding="utf-8")
    cases = tuple(
        Case(f"{n % 60}.jpg", Truth(box, names[n % 6]), Detection(box, names[n // 6 % 6], 0.9), 1.0)
        for n in range(1800)
        for box in [Box(n % 300, n % 290, n % 300 + 100, n % 290 + 90)]
    )
    diagnosis = replace(
        made.diagnoses["val"], cases=cases, matrix=ConfusionMatrix(names, np.full((7, 7), 50)), pairs=(), suspects=()
    )
    page = attempt_page(replace(made, diagnoses={"val": diagnosis}))
    crops = json.loads(re.search('id="data">(.*?)</script>', page, re.DOTALL).group(1))["crops"]
    assert len(crops) > 150
    assert len(page.encode()) < 12_000_000
