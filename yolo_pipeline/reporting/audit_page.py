"""The audit as one HTML file: findings with pictures, then figures. No script, nothing from a network."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from yolo_pipeline.nouns import SPLITS, Dataset, Finding, ImageRecord
from yolo_pipeline.reporting.audit_figures import (
    Load,
    box_sizes,
    class_bars,
    class_colour,
    heat_maps,
    jpeg,
    picture_sizes,
    pictures_and_counts,
    sample_sheet,
    thumbnail,
)
from yolo_pipeline.reporting.pages.shell import data_url, font_face, safe

_THUMB = 230  # pixels
_THUMBS = 6  # of one finding
_BUDGET = 1_200_000  # bytes of all thumbnails together, as JPEG
_NAMED_CLASSES = 24
_NAMED_FILES = 200

_FONT_PLACE = "/* font */"
_STYLE = (
    f"""{_FONT_PLACE}"""
    + """
:root { color-scheme: light dark; --line: #8884; --card: #8881; --fault: #c1121f; --warning: #b56500; --note: #2a6f97; }
@media (prefers-color-scheme: dark) { :root { --fault: #ff6b6b; --warning: #ffb454; --note: #7cc4f0; } }
body { font: 16px/1.5 "names", system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h1 { overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { padding: .25rem .8rem .25rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr + tr { border-top: 1px solid var(--line); }
article { border: 1px solid var(--line); border-left: .4rem solid var(--severity); border-radius: .4rem;
  padding: .2rem 1rem .6rem; margin: 1rem 0; background: var(--card); break-inside: avoid; }
.fault { --severity: var(--fault); } .warning { --severity: var(--warning); } .note { --severity: var(--note); }
article h3 b, li b.fault, li b.warning, li b.note { color: var(--severity); }
p, figcaption, summary, li { overflow-wrap: anywhere; }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem; }
.pair { display: flex; gap: .2rem; border: 1px solid var(--line); padding: .2rem; }
figure { margin: 0; } .pictures > figure { flex: 0 1 230px; }
.pair figure { width: 230px; } figcaption { font-size: .75rem; }
img { max-width: 100%; height: auto; } .plot { background: #fff; padding: .4rem; border-radius: .4rem; margin: 1rem 0; }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; border-radius: .2em; }
details ul { font-size: .8rem; columns: 20rem; } @media print { body { max-width: none; } details { display: none; } }
"""
)

Pictures = Sequence[tuple[ImageRecord, ...]]


def audit_page(
    title: str, dataset: Dataset, findings: Sequence[Finding], imgsz: int, load: Load, *, classified: bool = False
) -> str:
    """The page.

    Args:
        findings: the worst first.
        imgsz: the training size that box sizes are shown at, in pixels.
        load: pixels of an image, for the pictures.
        classified: whether each picture is of one class, in place of boxes.
    """
    figures = _figures_of_pictures(dataset, load) if classified else _figures(dataset, imgsz, load)
    parts = [*_head(title, dataset, findings, classified), *_findings(dataset, findings, load, classified), *figures]
    page = "\n".join([*parts, "</main>", "</body>", "</html>", ""])
    return page.replace(_FONT_PLACE, font_face(page), 1)


def _head(title: str, dataset: Dataset, findings: Sequence[Finding], classified: bool) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Audit of {safe(title)}</title>"
    yield f"<style>{_STYLE}</style></head>"
    yield "<body>\n<main>"
    yield f"<h1>Audit of {safe(title)}</h1>"
    columns = ("pictures",) if classified else ("pictures", "boxes", "backgrounds")
    yield f"<table><thead><tr><th></th>{''.join(f'<th>{name}</th>' for name in columns)}</tr></thead><tbody>"
    for name, images in _by_split(dataset).items():
        boxes, empty = sum(len(image.truths) for image in images), sum(image.is_background for image in images)
        counts = zip(columns, (len(images), boxes, empty), strict=False)
        yield f"<tr><td>{name}</td>{''.join(f'<td>{number:,}</td>' for _, number in counts)}</tr>"
    yield "</tbody></table>"
    yield f"<p>{_said(dataset, findings, classified)}</p>"


def _with_code(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", safe(text))


def _said(dataset: Dataset, findings: Sequence[Finding], classified: bool) -> str:
    """Totals in words."""
    counts = [(sum(f.severity == s for f in findings), s) for s in ("fault", "warning", "note")]
    found = ", ".join(f"{n} {severity}{'s' * (n != 1)}" for n, severity in counts if n) or "nothing to find fault with"
    sides = sorted((max(i.width, i.height), i.width, i.height) for i in dataset.images)
    if not sides:
        return f"No picture; {found}."
    median = sides[len(sides) // 2]
    boxes = "" if classified else f" {dataset.boxes / len(dataset.images):.1f} boxes a picture,"
    size = f"{median[1]} × {median[2]}"
    return f"{len(dataset.names)} classes,{boxes} median size {size} pixels; {found}."


def _by_split(dataset: Dataset) -> dict[str, tuple[ImageRecord, ...]]:
    rows: dict[str, tuple[ImageRecord, ...]] = {s: images for s in SPLITS if (images := dataset.of(s))}
    without = tuple(image for image in dataset.images if image.split is None)
    if without:
        rows["without split"] = without
    return {**rows, "all": dataset.images} if len(rows) != 1 else rows


def _findings(dataset: Dataset, findings: Sequence[Finding], load: Load, classified: bool) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not findings:
        yield "<p>Nothing was found that would spoil training or its scores.</p>"
        return
    if dataset.names:
        listed = dataset.names[:_NAMED_CLASSES]
        key = "".join(f'<span style="background:{class_colour(dataset.names, n)}"></span>{safe(n)}' for n in listed)
        what, others = "Outlines" if classified else "Boxes", " …" * (len(listed) < len(dataset.names))
        yield f'<p class="key">{what} by class:{key}{others}</p>'
    gallery = _Gallery(dataset, load)
    for finding in findings:
        yield f'<article class="{finding.severity}">'
        yield f"<h3><b>{finding.severity}</b>: {safe(finding.kind)}</h3>"
        yield f"<p>{safe(finding.text)}.</p><p><strong>What to do:</strong> {_with_code(finding.remedy)}.</p>"
        yield from gallery.show(finding)
        if finding.files:
            yield f"<details><summary>{len(finding.files):,} files</summary><ul>"
            yield from (f"<li>{safe(file)}</li>" for file in finding.files[:_NAMED_FILES])
            more = len(finding.files) - _NAMED_FILES
            yield f"</ul>{f'<p>and {more:,} more</p>' if more > 0 else ''}</details>"
        yield "</article>"


@dataclass(slots=True)
class _Gallery:
    """Thumbnails of the pictures that findings speak of, until the page is large enough."""

    dataset: Dataset
    load: Load
    _spent: int = 0
    _by_name: dict[str, ImageRecord] = field(init=False)
    _by_stem: dict[str, list[ImageRecord]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {image.name: image for image in self.dataset.images}
        self._by_stem = defaultdict(list)
        for image in self.dataset.images:
            self._by_stem[_stem(image.name)].append(image)

    def show(self, finding: Finding) -> Iterator[str]:
        groups = self._pictures(finding)
        if not groups or self._spent >= _BUDGET:
            return
        yield '<div class="pictures">'
        for group in groups:
            inside = "".join(self._figure(image) for image in group)
            yield f'<div class="pair">{inside}</div>' if len(group) > 1 else inside
        yield "</div>"

    def _pictures(self, finding: Finding) -> Pictures:
        """Images to show, those of a pair together."""
        if pairs := finding.figures.get("pairs"):
            found = [tuple(i for name in pair if (i := self._by_name.get(name))) for pair in pairs[: _THUMBS // 2]]
            return [group for group in found if group]
        images = (self._find(file) for file in finding.files)
        return [(image,) for image in dict.fromkeys(i for i in images if i is not None)][:_THUMBS]

    def _find(self, file: str) -> ImageRecord | None:
        """The image of that name, or the one that an annotation file of that name must be of."""
        alike = self._by_stem.get(_stem(file), [])
        return self._by_name.get(file) or (alike[0] if len(alike) == 1 else None)

    def _figure(self, image: ImageRecord) -> str:
        data = jpeg(thumbnail(image, self.load, self.dataset.names, _THUMB))
        self._spent += len(data)
        split = f"{image.split}: " if image.split else ""
        return f"<figure>{_image(data, 'jpeg', image.name)}<figcaption>{split}{safe(image.name)}</figcaption></figure>"


def _figures(dataset: Dataset, imgsz: int, load: Load) -> Iterator[str]:
    if not dataset.boxes:
        return
    yield "<h2>Classes</h2>"
    yield _plot(class_bars(dataset, "boxes"), "Bar chart: boxes of each class by split")
    yield "<h2>Where objects lie</h2><p>Centres of boxes, pictures scaled to a square; bright is many.</p>"
    yield _plot(heat_maps(dataset), "Heat maps of box centres, over all and by class")
    yield "<h2>How large they are</h2>"
    yield _plot(box_sizes(dataset, imgsz), f"Width and height of boxes at imgsz {imgsz}, with a line at 8 pixels")
    yield "<h2>Pictures</h2>"
    yield _plot(pictures_and_counts(dataset), "Histogram of objects a picture; widths and heights of pictures")
    yield "<h2>What each class looks like</h2>"
    yield f'<div class="plot">{_image(jpeg(sample_sheet(dataset, load)), "jpeg", "Cut-outs of each class")}</div>'


def _figures_of_pictures(dataset: Dataset, load: Load) -> Iterator[str]:
    """As `_figures`, where each picture is of one class: nothing on boxes."""
    if not dataset.images:
        return
    yield "<h2>Classes</h2>"
    yield _plot(class_bars(dataset, "pictures"), "Bar chart: pictures of each class by split")
    yield "<h2>Pictures</h2>"
    yield _plot(picture_sizes(dataset), "Widths and heights of pictures")
    yield "<h2>What each class looks like</h2>"
    sheet = jpeg(sample_sheet(dataset, load, room=0.0))
    yield f'<div class="plot">{_image(sheet, "jpeg", "Pictures of each class")}</div>'


def _plot(png: bytes, words: str) -> str:
    return f'<div class="plot">{_image(png, "png", words)}</div>'


def _image(data: bytes, kind: Literal["jpeg", "png"], words: str) -> str:
    return f'<img src="{data_url(data, kind)}" alt="{safe(words)}">'


def _stem(name: str) -> str:
    return os.path.splitext(name.rpartition("/")[2])[0]
