"""The page, the JSON and the lines of an audit; and the audit of an attempt."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clean_set import LabelledFolder, write_clean_set
from PIL import Image

from yolo_pipeline.auditing.pictures import measure_all
from yolo_pipeline.errors import DataError, UsageError
from yolo_pipeline.nouns import Box, Dataset, Finding, ImageRecord, ReadReport, Truth
from yolo_pipeline.progress import silent
from yolo_pipeline.recipes.audit import (
    Audit,
    as_json,
    audit_attempt,
    audit_dataset,
    audit_source,
    lines,
    worst,
    write_page,
)

HOSTILE = "</style><script>alert('1')</script>"


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The clean set with one picture of train in val, too, and one that is nearly black."""
    folder: LabelledFolder = write_clean_set(tmp_path_factory.mktemp("page") / "닭 & 달걀")
    folder.add("val/copy.png", folder.pixels("train/010.jpg"), folder.truths("train/010.jpg"))
    folder.repaint("train/020.jpg", lambda pixels: pixels // 8)
    folder.label("train/021.jpg", folder.truths("train/021.jpg")[:1])
    folder.label("train/022.jpg", [*(t := folder.truths("train/022.jpg")), Truth(t[0].box, "cog")])
    folder.label("test/001.jpg", [Truth(t.box, "cog") for t in folder.truths("test/001.jpg")[:1]])
    return audit_source(folder.root, format="labelimg")


class Page(HTMLParser):
    """Tags of a page, what it refers to, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]
        assert not any(key.startswith("on") for key, _ in attrs)
        assert tag != "img" or dict(attrs)["alt"]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_stands_alone(leaking: Audit, tmp_path: Path) -> None:
    file = tmp_path / "new" / "감사.html"
    write_page(leaking, file)
    page = Page(file.read_text(encoding="utf-8"))
    assert page.open == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert {source.partition(",")[0] for source in page.sources} == {
        "data:image/jpeg;base64",
        "data:image/png;base64",
    }
    assert "닭 & 달걀" in page.words
    assert "fault: leakage" in page.words
    assert page.words.index("fault: leakage") < page.words.index("warning: dark pictures")
    assert [file.name for file in file.parent.iterdir()] == ["감사.html"]


def test_the_same_audit_gives_the_same_page(leaking: Audit, tmp_path: Path) -> None:
    write_page(leaking, tmp_path / "a.html")
    write_page(leaking, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def hostile_set(folder: Path) -> Dataset:
    """Names that would be markup, formulas or further lines."""
    names = (HOSTILE, r"$\frac{1$", '"><img src=x onerror=alert(1)>', "닭 🐔")
    pictures = []
    rng = np.random.default_rng(0)
    for number, name in enumerate(names):
        file = folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(file)
        truths = (Truth(Box(5, 5, 40, 40), name),)
        pictures.append(ImageRecord(file, f'{name}\n"{number}.png', 80, 60, ".png", truths))
    return Dataset(names, tuple(pictures))


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    audit = audit_dataset(hostile_set(tmp_path), ReadReport(), {}, title=HOSTILE)
    assert "few boxes" in {finding.kind for finding in audit.findings}
    write_page(audit, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert all(source.startswith("data:image/") for source in page.sources)
    assert HOSTILE in page.words
    assert all("\n" not in line for line in [*lines(audit), *worst(audit)])


def test_a_picture_that_vanished_leaves_the_page_whole(tmp_path: Path) -> None:
    audit = audit_dataset(hostile_set(tmp_path), ReadReport(), {})
    for image in audit.dataset.images:
        image.file.unlink()
    write_page(audit, tmp_path / "page.html")
    assert Page((tmp_path / "page.html").read_text(encoding="utf-8")).open == []


def test_nothing_to_show(tmp_path: Path) -> None:
    audit = audit_dataset(Dataset((), ()), ReadReport(), {})
    assert audit.findings == ()
    write_page(audit, tmp_path / "page.html")
    assert Page((tmp_path / "page.html").read_text(encoding="utf-8")).open == []
    assert as_json(audit)["sizes"] == {"small": 0, "medium": 0, "large": 0}


def test_a_page_of_many_noisy_pictures_stays_under_three_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = []
    for number in range(60):
        file = tmp_path / f"{number}.jpg"
        Image.fromarray(rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)).save(file, quality=80)
        truths = tuple(Truth(Box(9 * i, 9 * i, 9 * i + 40, 9 * i + 50), f"class {i}") for i in range(30))
        images.append(ImageRecord(file, file.name, 640, 480, ".jpg", truths))
    dataset = Dataset(tuple(f"class {i}" for i in range(30)), tuple(images))
    audit = audit_dataset(dataset, ReadReport(), {})
    files = tuple(image.name for image in images)
    many = tuple(Finding(f"kind {i}", "note", "text", "remedy", files[i:]) for i in range(40))
    write_page(replace(audit, findings=many), tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("place", "said"),
    [("folder", "is a folder, where a file must be. Name a file in it"), ("file/page.html", "cannot be written")],
)
def test_where_no_page_can_be_written(leaking: Audit, tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("a file")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match=said):
        write_page(leaking, tmp_path / place)
    assert sorted(tmp_path.iterdir()) == before


def test_json(leaking: Audit) -> None:
    data = json.loads(json.dumps(as_json(leaking)))
    assert list(data) == [
        "images", "boxes", "backgrounds", "imgsz", "classes", "splits", "pictures", "objects_a_picture", "sizes",
        "findings",
    ]  # fmt: skip
    assert (data["images"], data["backgrounds"], data["imgsz"]) == (129, 4, 640)
    assert data["splits"] == {"train": 84, "val": 23, "test": 22}
    assert data["classes"]["cog"] == {"train": 1, "val": 0, "test": 1}
    assert sum(data["objects_a_picture"].values()) == 129
    assert sum(data["sizes"].values()) == data["boxes"]
    leakage = data["findings"][0]
    assert list(leakage) == ["kind", "severity", "text", "remedy", "files", "figures"]
    assert leakage["figures"]["pairs"] == [["train/010.jpg", "val/copy.png"]]
    assert leakage["figures"]["splits"] == [["train", "val"]]


def test_lines_for_the_terminal(leaking: Audit) -> None:
    said = worst(leaking, 2)
    assert [line.partition(":")[0] for line in said[:2]] == ["fault", "fault"]
    assert said[2].endswith("more findings")
    assert len(lines(leaking)) == 1 + len(leaking.findings)
    assert worst(replace(leaking, findings=())) == []


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="format 'x' is not known"):
        audit_source(tmp_path, format="x")


def test_an_attempt_is_audited_at_its_own_size(project: Path) -> None:
    audit = audit_attempt(project, 1, silent)
    assert audit.imgsz == 64
    assert len(audit.dataset.images) == 20
    assert {image.split for image in audit.dataset.images} == {"train", "val", "test"}
    assert "few boxes" in {finding.kind for finding in audit.findings}
    assert not (project / "datasets" / "attempt-1").exists()


def test_measuring_does_not_depend_on_threads_or_order(leaking: Audit) -> None:
    files = [image.file for image in leaking.dataset.images]
    assert measure_all(files[::-1], silent).pictures == leaking.pictures


def test_hangul_brings_its_font_and_plain_names_bring_none(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    for label, brings in (("양파", True), ("onion", False)):
        truths = (Truth(Box(4, 4, 40, 40), label),)
        record = ImageRecord(tmp_path / "a.png", "a.png", 64, 64, ".png", truths)
        write_page(audit_dataset(Dataset((label,), (record,)), ReadReport(), {}), tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert ("@font-face" in page) == brings
        assert len(page) < 300_000
