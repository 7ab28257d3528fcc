"""report.html of a classifier, as a browser shows it: figures, matrix, pictures at random, wrong ones, slider, names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser, started
from classified_run import at_random, classified_run, sure

from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.recipes.report import report
from yolo_pipeline.reporting.pages.classified import classified_page
from yolo_pipeline.reporting.pages.shell import Language

DIGITS = tuple(str(digit) for digit in range(10))
NAMES = ("cat", "dog", "사과")
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "%{y} $x^2$ <b>bold</b> &lt;")


def six(names: tuple[str, ...] = NAMES) -> list[tuple[str, list[float]]]:
    """Six pictures, of which four are named rightly; the label of the third is suspect."""
    cat, dog, apple = names
    said = [(cat, cat, 0.9), (cat, cat, 0.8), (cat, dog, 0.97), (dog, dog, 0.9), (dog, dog, 0.7), (apple, cat, 0.6)]
    return [(label, sure(names, named, probability)) for label, named, probability in said]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a classifier of digits: 130 pictures of val, 20 of test."""
    root = tmp_path_factory.mktemp("digits")
    answers = {"val": at_random(DIGITS, 130, 0.2), "test": at_random(DIGITS, 20, 0.3, seed=1)}
    classified_run(root, 1, DIGITS, answers, record={"title": "digits"})
    return report(root, 1).run.page_file


@pytest.fixture
def page(chromium: Browser, digits: Path) -> Browser:
    """That page, opened anew."""
    chromium.open(digits)
    return chromium


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """A function that opens the page of attempt 1 in the test's folder."""

    def opened(lang: Language = "en") -> Browser:
        file = tmp_path / f"report-{lang}.html"
        file.write_text(classified_page(results_of(tmp_path, 1), lang), encoding="utf-8")
        chromium.open(file)
        return chromium

    return opened


def slide(page: Browser, least: float) -> None:
    page.run(
        "const s = document.getElementById('least-range'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))",
        least,
    )
    page.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")


def counts(page: Browser, split: str = "val") -> list[int]:
    """Answered, right, wrong, as the page says."""
    place = f'[data-counts="{split}"] [data-count='
    return [int(page.text(f'{place}"{key}"]')) for key in ("answered", "right", "wrong")]


def test_a_page_loads_from_disk_with_no_request_but_itself_and_no_complaint(page: Browser) -> None:
    for place in page.all(".plot"):
        page.run("arguments[0].scrollIntoView({behavior: 'instant'})", place)
        page.wait(f"return document.querySelector('#{place.get_attribute('id')} svg.main-svg')")
    ids = [place.get_attribute("id") for place in page.all(".plot")]
    assert ids == ["curve-loss", "curve-accuracy", "plot-least", "plot-calibration"]
    assert page.driver.title == "Attempt 1: digits"
    assert [url.rpartition("/")[2] for url in page.requests()] == ["report.html"]
    assert page.errors() == []


def test_every_link_of_the_contents_leads_somewhere(page: Browser) -> None:
    links = page.run("return [...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))")
    assert len(links) == len(set(links)) == 14
    assert [link for link in links if not page.all(link)] == []


def test_cards_say_the_judges_figures_with_their_intervals(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six(), "test": six()[:3]})
    page = show()
    said = {key: page.text(f'[data-split="val"][data-metric="{key}"] .figure') for key in ("top1", "top5", "right")}
    assert said == {"top1": "0.667", "top5": "1.000", "right": "4 of 6"}
    card = page.text('[data-split="val"][data-metric="top1"]')
    assert "(0.300 to 0.903)" in card
    assert "test: 0.667" in card
    assert page.text('#test [data-metric="right"] .figure') == "2 of 3"
    headings = [heading.get_property("textContent") for heading in page.all("main h2")]
    assert headings[:3] == ["Figures", "What to try next", "What was changed"]


def test_a_cell_of_the_matrix_opens_the_pictures_behind_it(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    page = show()
    page.click('#matrix td button[data-cell="0,1"]')
    panel = page.one("#crops-val")
    assert panel.is_displayed()
    assert page.text("#crops-val h3") == "cat taken for dog: 1"
    assert "label: cat" in panel.text
    assert "said: dog 0.97" in panel.text
    assert page.run("return document.querySelector('#crops-val img').naturalWidth") == 28
    page.click('#matrix td button[data-cell="0,0"]')
    assert page.text("#crops-val h3") == "cat named rightly: 2"
    assert [name.text for name in page.all("#crops-val .file")] == [
        "val/0/001.png",
        "val/0/000.png",
    ]  # least sure first


def test_pictures_at_random_are_titled_yellow_where_right_and_red_where_wrong(page: Browser) -> None:
    titles = page.run(
        "return [...document.querySelectorAll('#drawn figure')].map((figure) => [figure.className,"
        " getComputedStyle(figure.querySelector('figcaption')).color, figure.textContent])"
    )
    assert len(titles) == 100
    assert {(kind, colour) for kind, colour, _ in titles} == {
        ("right", "rgb(255, 214, 10)"),
        ("wrong", "rgb(255, 112, 112)"),
    }
    right = sum(kind == "right" for kind, _, _ in titles)
    assert f"{right} of 100 right" in page.text("#grid")
    assert all(("(is " in text) == (kind == "wrong") for kind, _, text in titles)


def test_the_slider_leaves_out_answers_that_are_not_sure(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    page = show()
    assert counts(page) == [6, 4, 2]
    assert len(page.all("#wrong figure")) == 2
    slide(page, 0.8)
    assert counts(page) == [4, 3, 1]
    assert page.text('[data-words="answered"]') == "answered of 6 (67 %)"
    assert page.text('[data-words="right"]') == "right (75 %)"
    assert [name.text for name in page.all("#wrong .file")] == ["val/0/002.png"]
    slide(page, 1)
    assert counts(page) == [0, 0, 0]
    assert page.text('[data-words="right"]') == "right (–)"
    assert page.one("#wrong .nothing").text == "None is as sure as that."
    page.click("#least-reset")
    assert counts(page) == [6, 4, 2]


def test_the_slider_begins_at_the_confidence_of_the_attempt(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()}, settings={"detect": {"conf": 0.85}})
    assert counts(show()) == [3, 2, 1]


def test_a_wrong_answer_shows_its_likeliest_classes_and_the_label(page: Browser) -> None:
    first = page.one("#wrong figure")
    assert len(first.find_elements("css selector", ".bar")) in (5, 6)  # the label, where it is none of the five
    assert len(first.find_elements("css selector", ".bar.label")) == 1
    probabilities = page.run(
        "return [...document.querySelectorAll('#wrong figure')].map((f) => parseFloat(f.querySelectorAll('.said span')[2].textContent))"
    )
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) == 12
    page.click("#wrong .gallery > .button")
    assert len(page.all("#wrong figure")) == 24 or page.one("#wrong .gallery > .button").get_property("hidden")


def test_a_picture_is_enlarged_and_closed(page: Browser) -> None:
    page.click("#wrong .picture")
    assert page.one("dialog[open] img").is_displayed()
    assert "label:" in page.one("dialog[open]").text
    page.click("dialog .button")
    assert page.all("dialog") == []


def test_labels_to_look_at_have_their_picture(tmp_path: Path, show: Callable[..., Browser]) -> None:
    run = classified_run(tmp_path, 1, NAMES, {"val": six()})
    run.suspects.mkdir()
    page = show()
    (suspect,) = page.all("[data-suspect]")
    assert "said: dog 0.97" in suspect.text
    assert len(suspect.find_elements("css selector", "img")) == 1
    assert run.suspects.as_posix() in page.text("#suspects")


def test_a_korean_page_speaks_korean(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six(), "test": six()})
    page = show("ko")
    assert page.run("return document.documentElement.lang") == "ko"
    assert page.text("#wrong h2") == "틀린 답: 확신이 큰 순"
    assert page.text('[data-split="val"][data-metric="right"] .figure') == "4 / 6"
    assert "256 (dropout 0.3) → 128" in page.text("#settings")
    assert page.errors() == []


def test_names_of_strangers_stay_words(tmp_path: Path, show: Callable[..., Browser]) -> None:
    settings = {"head": [{"units": HOSTILE[0], "dropout": HOSTILE[1]}], "notes": HOSTILE[1], "model": HOSTILE[0]}
    record = {"title": HOSTILE[0], "training": {"used": {HOSTILE[1]: HOSTILE[0]}, "own_metrics": {HOSTILE[1]: 0.5}}}
    classified_run(tmp_path, 1, HOSTILE, {"val": six(HOSTILE)}, settings=settings, record=record)
    page = show()
    page.click('#matrix td button[data-cell="0,1"]')
    page.click("#wrong .picture")
    assert page.all("main img[src='x'], dialog img[src='x'], main script, main b b") == []
    assert page.one("#drawn figcaption").text in HOSTILE or "(is " in page.one("#drawn figcaption").text
    assert page.errors() == []


def test_pictures_that_are_gone_leave_a_grey_square(tmp_path: Path, show: Callable[..., Browser]) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    shutil.rmtree(tmp_path / "datasets")
    page = show()
    assert page.all("#grid") == []
    assert len(page.all("#wrong .square.gone")) == 2
    assert page.all("main img") == []
    assert page.errors() == []


@pytest.mark.parametrize(
    ("answers", "there", "not_there"),
    [
        pytest.param({"val": six()}, ["matrix", "wrong"], ["test"], id="no test"),
        pytest.param({"test": six()}, ["matrix", "wrong"], ["test"], id="no val"),
        pytest.param({}, ["figures", "settings"], ["matrix", "wrong", "least"], id="nothing judged"),
        pytest.param({"val": []}, ["matrix", "wrong"], ["grid"], id="no pictures"),
        pytest.param({"val": [(name, sure(NAMES, name)) for name in NAMES]}, ["wrong"], [], id="no mistakes"),
    ],
)
def test_whatever_was_judged_is_shown(
    tmp_path: Path, show: Callable[..., Browser], answers: dict, there: list[str], not_there: list[str]
) -> None:
    run = classified_run(tmp_path, 1, NAMES, answers, curves=None)
    if not answers:
        run.scores_file.unlink()
    page = show()
    assert [name for name in there if not page.all(f"section#{name}")] == []
    assert [name for name in not_there if page.all(f"section#{name}")] == []
    assert page.errors() == []


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_reaches_out_of_the_window(page: Browser, digits: Path, width: int) -> None:
    page.open(digits, width=width)
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_a_page_needs_no_browser_to_be_the_same_again(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    results = results_of(tmp_path, 1)
    assert classified_page(results, "ko") == classified_page(results, "ko")
