"""detections.html, as a browser shows it: the slider, vanished boxes, classes, names of strangers, many pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, started
from PIL import Image

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.naming import file_name
from yolo_pipeline.files import write_text
from yolo_pipeline.nouns import Box, Detection, Skip
from yolo_pipeline.reporting.pages.detections import detections_page
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.views import Seen, Views

VIEWS = Views((0.3, 0.4, 0.5))
SINGLE = float(np.float32(0.7))  # 0.699999988: a network's 0.7, below ours
FOUND = {
    "a.jpg": [("cat", 0.95), ("cat", SINGLE), ("cat", 0.5), ("dog", 0.45), ("cat", 0.35)],
    "b.jpg": [("dog", 0.4), ("dog", 0.39999999)],
    "c.jpg": [],
    "folder/양파.jpg": [("cat", 0.31)],
}
FACTS = {"attempt": "5", "runtime": "onnx", "imgsz": "640"}
HOSTILE = ("<script>alert(1)</script>.jpg", '"><img src=x onerror=alert(1)>.png', "javascript:alert(1)", "../../x.jpg")

Make = Callable[..., Path]


def _detections(found: Iterable[tuple[str, float]]) -> tuple[Detection, ...]:
    return tuple(
        Detection(Box(20 * at + 2, 10, 20 * at + 18, 60), label, score) for at, (label, score) in enumerate(found)
    )


def _seen(folder: Path, name: str, found: Iterable[tuple[str, float]], note: str = "") -> Seen:
    """A picture of noise, 120x80, written under a name of its own."""
    file = folder / file_name(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(name)).integers(90, 200, (80, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return Seen(name, file, 120, 80, _detections(found), note)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function that writes a page of some findings, {name: [(class, score), …]}, in a folder of the test's own."""

    def written(
        found: Mapping[str, Sequence[tuple[str, float]]] = FOUND,
        views: Views = VIEWS,
        skipped: Sequence[Skip] = (),
        lang: str = "en",
        title: str = "Attempt 5 on scraped",
        facts: Mapping[str, str] = FACTS,
    ) -> Path:
        seen = [_seen(tmp_path / "pictures-in", name, boxes) for name, boxes in found.items()]
        return _written(tmp_path / "out", seen, views, skipped, lang, title, facts)

    return written


def _written(
    out: Path,
    seen: Iterable[Seen],
    views: Views = VIEWS,
    skipped: Sequence[Skip] = (),
    lang: str = "en",
    title: str = "Attempt 5",
    facts: Mapping[str, str] = FACTS,
) -> Path:
    folder = OutFolder(out)
    page = detections_page(title, lambda: iter(seen), views, skipped, facts, folder, lang)  # type: ignore[arg-type]
    write_text(folder.page_file, page)
    return folder.page_file


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def show(make: Make, chromium: Browser) -> Callable[..., Browser]:
    def opened(*arguments: object, **options: object) -> Browser:
        chromium.open(make(*arguments, **options))
        return chromium

    return opened


def _slide(page: Browser, value: float) -> None:
    """As a drag does it."""
    page.run(
        "const s = document.getElementById('conf'); s.value = arguments[0];"
        "s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change'))",
        value,
    )
    page.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _counts(page: Browser) -> tuple[int, int, int]:
    """Boxes, pictures with boxes, vanished."""
    boxes, pictures, vanished = (
        int(page.text(f'[data-count="{key}"]').replace(",", "")) for key in ("boxes", "pictures", "vanished")
    )
    return boxes, pictures, vanished


def _kinds(page: Browser, place: int = 1) -> list[str]:
    """What the boxes of the gallery's n-th picture are, the surest first."""
    groups = page.all(f"#gallery figure:nth-child({place}) [data-box]")
    return [group.get_attribute("class") for group in reversed(groups)]


def _names(page: Browser, place: str = "#gallery figure .file") -> list[str]:
    return [str(one.get_property("textContent")) for one in page.all(place)]


def test_the_page_says_in_a_line_what_was_found_and_asks_no_network(show: Callable[..., Browser]) -> None:
    page = show(skipped=[Skip("broken.jpg", "truncated")])
    said = "4 pictures, 1 skipped; at 0.3: 8 boxes on 3 pictures; 3 boxes vanish at 0.4, 5 boxes vanish at 0.5"
    assert page.text(".summary") == said
    assert page.text("h1") == page.driver.title == "Attempt 5 on scraped"
    assert [cell.get_property("textContent") for cell in page.all("#skipped tbody :is(th, td)")] == [
        "broken.jpg",
        "truncated",
    ]
    assert "runtimeonnx" in page.text("#making tbody").replace("\n", "")
    assert "All 4 pictures are on this page." in page.text("#pictures")
    assert page.errors() == []
    assert [url.rpartition("/")[2] for url in page.requests()] == ["detections.html"]


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        pytest.param(0.3, (8, 3, 0), id="the lowest"),
        pytest.param(0.31, (8, 3, 0), id="a score exactly there"),
        pytest.param(0.311, (7, 2, 1), id="just above a score"),
        pytest.param(0.4, (5, 2, 3), id="0.4 stays, 0.39999999 goes"),
        pytest.param(0.401, (4, 1, 4), id="just above 0.4"),
        pytest.param(0.5, (3, 1, 5), id="the highest asked for"),
        pytest.param(0.699, (2, 1, 6), id="below a single-precision 0.7"),
        pytest.param(0.7, (1, 1, 7), id="above a single-precision 0.7"),
        pytest.param(1, (0, 0, 8), id="the end"),
    ],
)
def test_counts_at_the_slider_are_those_of_the_views(
    show: Callable[..., Browser], chromium: Browser, value: float, counts: tuple[int, int, int]
) -> None:
    page = show()
    _slide(page, value)
    assert _counts(page) == counts
    at = [VIEWS.at(Seen(name, Path(), 1, 1, _detections(found)), value) for name, found in FOUND.items()]
    assert (sum(map(len, at)), sum(map(bool, at))) == counts[:2]


def test_a_drag_stops_at_three_digits_and_a_button_at_its_threshold(show: Callable[..., Browser]) -> None:
    page = show({"a.jpg": [("cat", 0.41237), ("cat", 0.33333333)]}, Views((1 / 3, 0.45)))
    assert _counts(page) == (1, 1, 0)
    _slide(page, 0.41237113)
    assert page.text("#conf-value") == "0.412"
    assert _counts(page) == (1, 1, 0)
    page.click('[data-threshold="1"]')
    assert (page.text("#conf-value"), _counts(page)) == ("0.45", (0, 0, 1))
    page.click('[data-threshold="0"]')
    assert page.text("#conf-value") == "0.333333"
    assert [b.get_attribute("aria-pressed") for b in page.all("[data-threshold]")] == ["true", "false"]


def test_boxes_below_the_slider_are_marked_as_vanished_until_switched_off(show: Callable[..., Browser]) -> None:
    page = show()
    assert _names(page) == ["a.jpg", "b.jpg", "folder/양파.jpg", "c.jpg"]
    assert _kinds(page) == ["stays"] * 5
    page.click('[data-threshold="2"]')
    assert _kinds(page) == ["stays", "stays", "stays", "vanished", "vanished"]
    assert page.text("#gallery figure:nth-child(1) .tally") == "3 boxes2 vanished"
    assert page.text("#gallery figure:nth-child(2) .tally") == "0 boxes2 vanished"
    dashes = "return getComputedStyle(document.querySelector('#gallery .vanished .box')).strokeDasharray"
    assert page.run(dashes) == "5px, 4px"
    scores = [text.get_property("textContent") for text in page.all("#gallery figure:nth-child(2) text")]
    assert scores == ["dog 0.39", "dog 0.40"]  # the rest is cut off: never a vanished 0.40
    page.click("#marks")
    page.wait("return !document.querySelector('#gallery .vanished')")
    assert _kinds(page) == ["stays", "stays", "stays", "off", "off"]
    assert page.run("return getComputedStyle(document.querySelector('#gallery .off')).display") == "none"


def test_classes_are_counted_at_the_slider_and_switched_off(show: Callable[..., Browser]) -> None:
    page = show()
    assert _names(page, "#classes label") == ["cat5", "dog3"]
    page.click('[data-threshold="1"]')
    assert _names(page, "#classes label") == ["cat3", "dog2"]
    page.click("#classes label:nth-child(2) input")
    assert _counts(page) == (3, 1, 2)
    assert _names(page, "#classes label") == ["cat3", "dog2"]
    assert _kinds(page) == ["stays", "stays", "stays", "off", "vanished"]
    page.click('[data-classes="none"]')
    assert _counts(page) == (0, 0, 0)
    page.click('[data-classes="all"]')
    assert _counts(page) == (5, 2, 3)


def test_only_the_classes_and_the_best_boxes_asked_for_are_shown(show: Callable[..., Browser]) -> None:
    page = show(views=Views((0.3, 0.5), frozenset({"cat", "bird"}), 2))
    assert _counts(page) == (3, 2, 0)
    assert _names(page, "#classes label") == ["cat3", "bird0"]
    assert "Only these classes: bird, cat." in page.text("header")
    assert "At most the 2 surest boxes of a picture." in page.text("header")
    _slide(page, 0.5)
    assert _counts(page) == (2, 1, 1)  # the third cat of 0.5 is not among the best two
    rows = [row.get_property("textContent").replace("\n", "") for row in page.all("#counts tr")]
    assert rows == ["classat 0.3at 0.5", "cat3 (2)2 (1)", "bird0 (0)0 (0)", "all3 (2)2 (1)"]


def test_a_table_counts_by_class_and_threshold(show: Callable[..., Browser]) -> None:
    rows = [row.get_property("textContent").replace("\n", "") for row in show().all("#counts tr")]
    assert rows == [
        "classat 0.3at 0.4at 0.5",
        "cat5 (2)3 (1)3 (1)",
        "dog3 (2)2 (2)0 (0)",
        "all8 (3)5 (2)3 (1)",
    ]


def test_keys_move_the_slider(show: Callable[..., Browser]) -> None:
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    page = show()
    slider = page.one("#conf")
    assert slider.get_attribute("aria-valuetext") == "0.3: 8 boxes"
    for key, value in [
        (keys.ARROW_RIGHT, "0.31"),
        (keys.ARROW_UP, "0.32"),
        (keys.ARROW_LEFT, "0.31"),
        (keys.PAGE_UP, "0.4"),
        (keys.PAGE_UP, "0.5"),
        (keys.PAGE_DOWN, "0.4"),
        (keys.END, "1"),
        (keys.ARROW_RIGHT, "1"),
        (keys.HOME, "0.3"),
        (keys.ARROW_DOWN, "0.3"),
    ]:
        slider.send_keys(key)
        assert page.text("#conf-value") == value
    slider.send_keys(keys.END)
    assert _counts(page) == (0, 0, 8)
    assert slider.get_attribute("aria-valuetext") == "1: 0 boxes"


def test_pictures_are_sorted_and_found_by_name(show: Callable[..., Browser]) -> None:
    page = show()

    def by(order: str) -> list[str]:
        page.click(f'#sort option[value="{order}"]')
        return _names(page)

    assert by("name") == ["a.jpg", "b.jpg", "c.jpg", "folder/양파.jpg"]
    assert by("surest") == ["a.jpg", "b.jpg", "folder/양파.jpg", "c.jpg"]
    assert by("boxes") == ["a.jpg", "b.jpg", "folder/양파.jpg", "c.jpg"]
    page.run(
        "const s = document.getElementById('search'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))",
        unicodedata.normalize("NFD", "FOLDER/양"),
    )
    assert _names(page) == ["folder/양파.jpg"]
    assert page.text("#matches") == "1 of 4 match"
    assert _counts(page) == (8, 3, 0)


def test_a_picture_is_enlarged_with_its_links(chromium: Browser, tmp_path: Path) -> None:
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    out, name = tmp_path / "out", "100% a:b #1.png"
    below = _seen(out / "downloaded", name, [("cat", 0.9), ("cat", 0.35)], "the first of 12 frames")
    elsewhere = _seen(tmp_path / "in", "z.jpg", [("cat", 0.45)])
    for threshold in (0.3, 0.4):
        drawn = OutFolder(out).pictures(threshold) / file_name(name)
        drawn.parent.mkdir(parents=True)
        drawn.write_bytes(below.file.read_bytes())
    chromium.open(_written(out, [below, elsewhere]))
    page = chromium
    assert "the first of 12 frames" in page.text("#gallery figure:nth-child(1)")
    page.click("#gallery figure:nth-child(1) button")
    assert page.text("dialog h3") == name
    links = page.all("dialog a")
    assert [link.get_property("textContent") for link in links] == ["0.3", "0.4", str(below.file)]
    addresses = [str(link.get_property("href")) for link in links]
    assert all(address.startswith(f"{out.as_uri()}/") for address in addresses)
    page.one("dialog .steps button:nth-child(2)").click()
    assert page.text("dialog h3") == "z.jpg"
    assert page.all("dialog a") == []
    assert str(elsewhere.file) in page.text("dialog .original")
    page.one("dialog").send_keys(keys.ARROW_LEFT)
    assert page.text("dialog h3") == name
    page.one("dialog").send_keys(keys.ESCAPE)
    page.wait("return !document.querySelector('dialog')")
    assert page.errors() == []
    for address in addresses:
        page.driver.get(address)
        assert page.run("return document.contentType") == "image/jpeg"


def test_names_of_strangers_are_text_and_run_nothing(show: Callable[..., Browser]) -> None:
    long = "x" * 496 + ".jpg"
    found = {name: [(HOSTILE[0], 0.9), (HOSTILE[1], 0.4)] for name in (*HOSTILE, long, "line\nbreak\t.jpg")}
    skipped = [Skip(HOSTILE[1], HOSTILE[0])]
    page = show(found, skipped=skipped, title=HOSTILE[0], facts={HOSTILE[1]: HOSTILE[0]})
    page.run("window.alert = () => { window.ran = true; }")
    for button in page.all("#gallery figure button"):
        page.run("arguments[0].click(); document.querySelector('dialog').close()", button)
    assert set(_names(page)) == {*HOSTILE, long, "line break .jpg"}
    assert page.text("h1") == page.driver.title == HOSTILE[0]
    said = page.run("return document.querySelector('main').textContent")
    assert all(name in said for name in HOSTILE)
    assert page.run("return window.ran") is None
    assert page.all("main script, main img") == []
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    assert page.errors() == []
    assert [url.rpartition("/")[2] for url in page.requests()] == ["detections.html"]


def test_in_korean_every_word_of_ours_is(show: Callable[..., Browser]) -> None:
    page = show(lang="ko", skipped=[Skip("a", "b")], views=Views((0.3, 0.4, 0.5), frozenset({"cat", "dog"}), 9))
    assert page.run("return document.documentElement.lang") == "ko"
    expected = (
        "이미지 4장, 건너뜀 1개; 신뢰도 0.3에서 이미지 3장에 박스 8개; 0.4에서 3개가 사라짐, 0.5에서 5개가 사라짐"
    )
    assert page.text(".summary") == expected
    words = page.all("main :is(h2, label, option, summary, .button:not([data-threshold]), .tally > span, .live span)")
    said = [word.get_property("textContent") for word in words if word.get_property("textContent")]
    assert len(said) > 20
    assert [word for word in said if not re.search("[가-힣]", word)] == ["cat5", "dog3"]
    page.run("return document.fonts.ready")
    assert page.run("return document.fonts.check('16px names', '양파')")


def test_every_word_is_there_in_both_languages_with_the_same_figures() -> None:
    from yolo_pipeline.reporting.pages.detections.words import FOR_SCRIPTS, WORDS

    fields = re.compile(r"\{(\w+)\}")
    assert [key for key, (en, ko) in WORDS.items() if sorted(fields.findall(en)) != sorted(fields.findall(ko))] == []
    assert [key for key, (_, ko) in WORDS.items() if not re.search("[가-힣]", ko)] == ["at"]
    assert set(Say("en", WORDS).some(FOR_SCRIPTS)) == set(FOR_SCRIPTS)


@pytest.mark.parametrize("skipped", [pytest.param(0, id="empty"), pytest.param(1500, id="all skipped")])
def test_without_a_picture_the_page_says_so(show: Callable[..., Browser], skipped: int) -> None:
    page = show({}, skipped=[Skip(f"{n:04}.jpg", "truncated") for n in range(skipped)], facts={})
    assert page.text(".summary") == f"0 pictures, {skipped:,} skipped; at 0.3: 0 boxes on 0 pictures"
    assert "No picture could be read." in page.text("#pictures")
    assert "No box was found." in page.text("#counts")
    assert page.all("#conf") == []
    if skipped:
        assert len(page.all("#skipped tbody tr")) == 1000
        assert "The first 1,000 of 1,500; skipped.csv has all of them." in page.text("#skipped")
    assert page.errors() == []


def test_pictures_without_a_box_are_shown_as_they_are(show: Callable[..., Browser]) -> None:
    page = show({"a.jpg": [], "b.jpg": [("cat", 0.1)]}, Views((0.3,)))
    assert page.text(".summary") == "2 pictures, 0 skipped; at 0.3: 0 boxes on 0 pictures"
    assert _names(page) == ["a.jpg", "b.jpg"]
    assert page.all("#classes, #gallery [data-box]") == []
    _slide(page, 0.8)
    assert _counts(page) == (0, 0, 0)
    assert page.errors() == []


def test_one_threshold_of_one_is_a_page_as_well(show: Callable[..., Browser]) -> None:
    page = show({"a.jpg": [("cat", 1.0), ("cat", 0.99)]}, Views((1.0,)))
    assert page.text(".summary") == "1 picture, 0 skipped; at 1: 1 box on 1 picture"
    assert _counts(page) == (1, 1, 0)
    assert [option.get_attribute("value") for option in page.all("#sort option")] == ["boxes", "surest", "name"]
    assert page.errors() == []


def test_a_picture_that_is_gone_is_a_row_of_the_table(chromium: Browser, tmp_path: Path) -> None:
    seen = [_seen(tmp_path / "in", name, found) for name, found in FOUND.items()]
    seen[0].file.unlink()
    seen[1].file.write_bytes(b"\xff\xd8\xff no picture")
    drawn = OutFolder(tmp_path / "out").pictures(0.3) / "a.jpg"
    drawn.parent.mkdir(parents=True)
    drawn.write_bytes(b"drawn")
    chromium.open(_written(tmp_path / "out", seen))
    assert _names(chromium) == ["folder/양파.jpg", "c.jpg"]
    rows = [row.get_property("textContent") for row in chromium.all("#others tbody tr")]
    assert rows == ["a.jpg500.95", "b.jpg200.40"]
    assert [link.get_attribute("href") for link in chromium.all("#others tbody a")] == [drawn.as_uri()]
    chromium.click('[data-threshold="1"]')
    rows = [row.get_property("textContent") for row in chromium.all("#others tbody tr")]
    assert rows == ["a.jpg410.95", "b.jpg110.40"]
    assert "2 of 4 pictures are on this page" in chromium.text("#pictures")
    assert chromium.errors() == []


def test_two_thousand_pictures_stay_within_the_budget_and_open_quickly(chromium: Browser, tmp_path: Path) -> None:
    """Noise, which JPEG can hardly make smaller; every picture the same file, under another name."""
    pixels = np.random.default_rng(0).integers(0, 255, (480, 480, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.jpg", quality=60)

    def seen() -> Iterator[Seen]:
        for n in range(2000):
            found = _detections([(f"class {n % 30}", 0.9), *[("cat", 0.35)] * (n % 6)])
            yield Seen(f"{n:04}.jpg", tmp_path / "noise.jpg", 480, 480, found)

    page = detections_page("many", seen, VIEWS, (), {}, OutFolder(tmp_path / "out"))
    write_text(tmp_path / "out" / "detections.html", page)
    assert 9_000_000 < len(page.encode()) < 13_000_000
    chromium.open(tmp_path / "out" / "detections.html")
    assert chromium.run("return performance.getEntriesByType('navigation')[0].domComplete") < 10_000
    assert _names(chromium)[:2] == ["0005.jpg", "0011.jpg"]  # those of which most boxes vanish
    shown = len(_names(chromium))
    assert (shown, len(chromium.all("#others tbody tr"))) == (24, 100)
    assert re.search(r"(\d+) of 2,000 pictures are on this page", chromium.text("#pictures"))
    assert _counts(chromium) == (6996, 2000, 0)
    chromium.click('[data-threshold="2"]')
    assert _counts(chromium) == (2000, 2000, 4996)
    chromium.click("#gallery .more")
    assert len(_names(chromium)) == 48
    chromium.click("#others .more")
    assert len(chromium.all("#others tbody tr")) == 200
    assert chromium.errors() == []


def test_more_pictures_than_a_page_can_tell_of_are_counted_and_not_listed(tmp_path: Path) -> None:
    crowd = _detections([("cat", 0.9)] * 300)
    views = Views((0.3,))

    def seen() -> Iterator[Seen]:
        return (Seen(f"{n:04}.jpg", tmp_path / "gone.jpg", 640, 480, crowd) for n in range(2500))

    page = detections_page("crowds", seen, views, (), {}, OutFolder(tmp_path))
    assert "2,500 pictures, 0 skipped; at 0.3: 750,000 boxes on 2,500 pictures" in page
    told = re.search(r"The table below has ([\d,]+) more", page)
    unlisted = re.search(r"leave out ([\d,]+) more; detections\.csv has all of them", page)
    assert told
    assert unlisted
    counts = [int(found.group(1).replace(",", "")) for found in (told, unlisted)]
    assert sum(counts) == 2500
    assert counts[1] > 0
    assert len(page.encode()) < 9_000_000


def test_on_a_phone_nothing_reaches_out_of_the_page(chromium: Browser, make: Make) -> None:
    chromium.open(make(skipped=[Skip("x" * 300, "y" * 300)]), width=390, height=844)
    assert chromium.run("return document.documentElement.scrollWidth <= innerWidth && innerWidth") == 390
    chromium.click("#gallery figure:nth-child(1) button")
    assert chromium.run("return document.querySelector('dialog').getBoundingClientRect().right <= innerWidth")


def test_the_same_findings_give_the_same_page(make: Make) -> None:
    assert make().read_bytes() == make().read_bytes()
