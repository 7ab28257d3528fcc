"""The built-in data set: scenes of real handwritten digits, written the way LabelImg leaves them on a disk.

The digits are scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits" test set (E. Alpaydin and
C. Kaynak, 1998, CC BY 4.0): 1,797 pictures of 8x8 pixels. Each of them is used in one scene only, so that none can be
in two splits. Below the folder:

    scenes/        the first pictures, with digits of all ten classes
    loose/         their XML as first drawn: boxes with too much paper around the digit
    redrawn/       their XML drawn again, tight
    more/          later pictures with XML beside them, of the six classes kept by then
    backgrounds/   paper without digits, but with scribbles that a detector may take for some
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from yolo_pipeline.files import folder_beside
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.progress import Progress, silent

FOLDER = Path("datasets/raw/digits")
"""Where a project that says `builtin: digits` keeps them."""

KEPT_CLASSES = ("0", "1", "2", "3", "4", "6")
SIZE = 160  # pixels, width and height of a scene
_FIRST_SCENES, _DIGITS_A_SCENE, _MORE_DIGITS, _BACKGROUNDS = 150, 4, 3, 48
_JPEG_QUALITY = 90

Gray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Scene:
    picture: Image.Image
    truths: tuple[Truth, ...]


def make(folder: Path, progress: Progress = silent, seed: int = 0) -> None:
    """Makes the data set in `folder`, which must not exist yet. The same seed gives the same bytes.

    It is built beside its place and renamed, so a folder that is there is whole.
    """
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    shapes: list[Gray] = [digits.images[i] / 16.0 for i in order]
    labels = [str(digits.target[i]) for i in order]
    count = _FIRST_SCENES * _DIGITS_A_SCENE
    first = list(zip(labels[:count], shapes[:count], strict=True))
    later = [
        (label, shape) for label, shape in zip(labels[count:], shapes[count:], strict=True) if label in KEPT_CLASSES
    ]
    with folder_beside(folder) as building:
        for part in ("scenes", "loose", "redrawn", "more", "backgrounds"):
            (building / part).mkdir()
        _write_first(
            building, [first[i : i + _DIGITS_A_SCENE] for i in range(0, count, _DIGITS_A_SCENE)], rng, progress
        )
        _write_more(building / "more", list(_chunks(later, _MORE_DIGITS)), rng, progress)
        for number in progress.items(range(_BACKGROUNDS), "drawing backgrounds"):
            _save(_paper(rng), building / "backgrounds" / f"paper_{number:03}.jpg")


def _write_first(
    root: Path, chunks: list[list[tuple[str, Gray]]], rng: np.random.Generator, progress: Progress
) -> None:
    for number, chunk in enumerate(progress.items(chunks, "drawing scenes")):
        scene = _compose(chunk, rng)
        picture = root / "scenes" / f"scene_{number:03}.jpg"
        _save(scene.picture, picture)
        loose = [Truth(_loosen(truth.box, rng), truth.label) for truth in scene.truths]
        for part, truths in (("loose", loose), ("redrawn", scene.truths)):
            _annotate(root / part / f"{picture.stem}.xml", picture, tuple(truths))


def _write_more(
    folder: Path, chunks: list[list[tuple[str, Gray]]], rng: np.random.Generator, progress: Progress
) -> None:
    for number, chunk in enumerate(progress.items(chunks, "drawing more scenes")):
        scene = _compose(chunk, rng)
        picture = folder / f"more_{number:03}.jpg"
        _save(scene.picture, picture)
        _annotate(picture.with_suffix(".xml"), picture, scene.truths)


def _chunks(items: list[tuple[str, Gray]], size: int) -> Iterator[list[tuple[str, Gray]]]:
    for start in range(0, len(items) - size + 1, size):
        yield items[start : start + size]


def _annotate(file: Path, picture: Path, truths: tuple[Truth, ...]) -> None:
    file.write_text(annotation_xml(truths, picture, SIZE, SIZE, origin=0), encoding="utf-8", newline="\n")


def _save(picture: Image.Image, file: Path) -> None:
    picture.save(file, "JPEG", quality=_JPEG_QUALITY)


def _compose(chunk: list[tuple[str, Gray]], rng: np.random.Generator) -> _Scene:
    """Paper with the digits of `chunk` on it, none touching another."""
    picture = _paper(rng)
    ink = rng.integers(0, 70, size=3)
    taken: list[Box] = []
    truths = []
    for label, shape in chunk:
        stamp = _stamp(shape, rng)
        x, y = _free_spot(stamp.shape[1], stamp.shape[0], taken, rng)
        taken.append(Box(x - 4, y - 4, x + stamp.shape[1] + 4, y + stamp.shape[0] + 4))
        alpha = Image.fromarray((np.clip(stamp, 0, 1) * 255).astype(np.uint8))
        colour = (int(ink[0]), int(ink[1]), int(ink[2]))
        picture.paste(Image.new("RGB", alpha.size, colour), (x, y), alpha)
        truths.append(Truth(_as_labelimg(_ink_box(stamp, x, y)), label))
    return _Scene(picture, tuple(truths))


def _stamp(shape: Gray, rng: np.random.Generator) -> Gray:
    """One digit enlarged and turned a little: (height, width) in 0..1, 0 is paper."""
    side = int(rng.integers(34, 58))
    padded = np.pad(shape, 1)
    image = Image.fromarray((padded * 255).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    image = image.rotate(float(rng.uniform(-9, 9)), Image.Resampling.BICUBIC)
    stretched = image.resize((max(20, int(side * rng.uniform(0.8, 1.05))), side), Image.Resampling.BILINEAR)
    alpha = np.asarray(stretched, dtype=np.float64) / 255
    return np.clip((alpha - 0.18) * 1.5, 0, 1)


def _ink_box(stamp: Gray, x: int, y: int) -> Box:
    inked = stamp > 0.25
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return Box(x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1)


def _as_labelimg(box: Box) -> Box:
    """Whole pixels, minima clamped to 1, inside the picture: as LabelImg 1.8.6 saves a rectangle."""
    return Box(max(1, int(box.x0)), max(1, int(box.y0)), min(SIZE, int(box.x1)), min(SIZE, int(box.y1)))


def _loosen(box: Box, rng: np.random.Generator) -> Box:
    left, top, right, bottom = rng.uniform(0.05, 0.45, size=4)
    width, height = box.width, box.height
    return _as_labelimg(
        Box(box.x0 - left * width, box.y0 - top * height, box.x1 + right * width, box.y1 + bottom * height)
    )


def _free_spot(width: int, height: int, taken: list[Box], rng: np.random.Generator) -> tuple[int, int]:
    """A place where nothing is overlapped; after many tries the one that overlaps least."""
    best, least = (0, 0), float("inf")
    for _ in range(200):
        x, y = int(rng.integers(0, SIZE - width + 1)), int(rng.integers(0, SIZE - height + 1))
        overlap = sum(
            max(0.0, min(x + width, b.x1) - max(x, b.x0)) * max(0.0, min(y + height, b.y1) - max(y, b.y0))
            for b in taken
        )
        if overlap < least:
            best, least = (x, y), overlap
        if overlap == 0:
            break
    return best


def _paper(rng: np.random.Generator) -> Image.Image:
    """A sheet with uneven light, grain, sometimes ruled, with a few scribbles that are no digit."""
    light = np.linspace(rng.uniform(150, 250), rng.uniform(150, 250), SIZE)
    sheet = np.broadcast_to(light if rng.random() < 0.5 else light[:, None], (SIZE, SIZE))
    tint = rng.uniform(0.9, 1.0, size=3)
    pixels = sheet[:, :, None] * tint + rng.normal(0, 5, size=(SIZE, SIZE, 1))
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.5:
        step = int(rng.integers(18, 34))
        for y in range(int(rng.integers(0, step)), SIZE, step):
            draw.line([(0, y), (SIZE, y)], fill=(140, 160, 200), width=1)
    for _ in range(int(rng.integers(0, 3))):
        _scribble(draw, rng)
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 0.7))))


def _scribble(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    start = rng.uniform(0, SIZE, size=2)
    steps = rng.normal(0, 9, size=(int(rng.integers(3, 6)), 2))
    points = [(float(x), float(y)) for x, y in start + np.cumsum(steps, axis=0)]
    shade = int(rng.integers(90, 170))
    draw.line(points, fill=(shade, shade, shade), width=int(rng.integers(1, 3)))
