"""Pixels and boxes tell one story: what is coloured in the edited picture lies where the computed box says."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.building.editing import edited
from yolo_pipeline.building.pixels import (
    GREY,
    decode_cutout,
    edited_suffix,
    encode,
    render,
    write_edited,
)
from yolo_pipeline.decoding import Pixels, decode, turn
from yolo_pipeline.nouns import (
    Blur,
    Box,
    Brighten,
    Crop,
    Edit,
    ImageRecord,
    InBox,
    Pad,
    Place,
    Resize,
    Rotate,
    Truth,
    Turn,
)

WIDTH, HEIGHT = 120, 80


def scene(box: Box, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """White paper with one black rectangle."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 0
    return pixels


def black_box(pixels: Pixels) -> Box:
    """Where a picture is darker than the grey that comes in from outside, half-open."""
    dark = pixels.max(axis=2) < GREY - 4
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def computed(box: Box, edits: tuple[Edit, ...]) -> Box:
    image = ImageRecord(Path("a.png"), "a.png", WIDTH, HEIGHT, ".png", (Truth(box, "egg"),))
    record, dropped = edited(image, edits)
    assert dropped == []
    return record.truths[0].box


def distance(a: Box, b: Box) -> float:
    return max(abs(a.x0 - b.x0), abs(a.y0 - b.y0), abs(a.x1 - b.x1), abs(a.y1 - b.y1))


boxes = st.builds(
    lambda x, y, width, height: Box(float(x), float(y), float(x + width), float(y + height)),
    st.integers(35, 60), st.integers(20, 40), st.integers(10, 25), st.integers(8, 20),
)  # fmt: skip
turns = st.sampled_from(range(1, 9)).map(Turn)
exact = st.one_of(
    turns,
    st.builds(Pad, st.integers(0, 9), st.integers(0, 9), st.just(170), st.just(170)),
    st.builds(Crop, st.integers(0, 5), st.integers(0, 5), st.just(75), st.just(75)),
)


@given(boxes, st.lists(turns, max_size=4))
@settings(deadline=None, max_examples=60)
def test_boxes_follow_turns_exactly(box: Box, edits: list[Turn]) -> None:
    assert black_box(render(scene(box), edits)) == computed(box, tuple(edits))


@given(boxes, exact)
@settings(deadline=None, max_examples=60)
def test_boxes_follow_padding_and_cropping_exactly(box: Box, edit: Edit) -> None:
    assert black_box(render(scene(box), [edit])) == computed(box, (edit,))


@given(boxes, st.floats(-15, 15))
@settings(deadline=None, max_examples=60)
def test_boxes_follow_rotation_to_a_pixel(box: Box, degrees: float) -> None:
    found, expected = black_box(render(scene(box), [Rotate(degrees)])), computed(box, (Rotate(degrees),))
    assert distance(found, expected) <= 1


@given(boxes, st.integers(60, 300), st.integers(60, 300))
@settings(deadline=None, max_examples=60)
def test_boxes_follow_resizing_to_a_pixel(box: Box, width: int, height: int) -> None:
    resized = render(scene(box), [Resize(width, height)])
    assert resized.shape == (height, width, 3)
    dark = resized.max(axis=2) < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    found = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    assert distance(found, computed(box, (Resize(width, height),))) <= 1


@pytest.mark.parametrize("edit", [Turn(2), Turn(4), Turn(3), Turn(5), Turn(7)])
def test_twice_is_as_before(edit: Turn) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    assert np.array_equal(render(pixels, [edit, edit]), pixels)


@pytest.mark.parametrize("edit", [Turn(6), Turn(8)])
def test_four_quarter_turns_are_as_before(edit: Turn) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    assert np.array_equal(render(pixels, [edit] * 4), pixels)
    assert not np.array_equal(render(pixels, [edit] * 2), pixels)


@given(st.floats(-40, 40))
@settings(deadline=None, max_examples=30)
def test_a_rotation_there_and_back_leaves_the_middle(degrees: float) -> None:
    picture = cv2.GaussianBlur(scene(Box(50, 30, 75, 50)), (0, 0), 2)
    back = render(picture, [Rotate(degrees), Rotate(-degrees)])
    middle = (slice(25, 55), slice(45, 75))
    assert np.abs(back[middle].astype(int) - picture[middle]).max() <= 16


def test_what_a_rotation_brings_in_is_grey() -> None:
    turned = render(scene(Box(40, 30, 60, 50)), [Rotate(45)])
    assert turned[0, 0].tolist() == [GREY] * 3


def test_brightness_saturates() -> None:
    pixels = np.array([[[0, 100, 200]]], np.uint8)
    assert render(pixels, [Brighten(1.5)]).tolist() == [[[0, 150, 255]]]
    assert render(pixels, [Brighten(0.5)]).tolist() == [[[0, 50, 100]]]


def test_blurring_keeps_an_even_picture_and_softens_an_edge() -> None:
    even = np.full((20, 20, 3), 90, np.uint8)
    assert np.array_equal(render(even, [Blur(3.0)]), even)
    soft = render(scene(Box(0, 0, 60, 80)), [Blur(2.0)])
    assert 0 < soft[40, 59, 0] < soft[40, 60, 0] < 255


def test_the_given_array_stays() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    before = pixels.copy()
    inside = InBox(2, 3, 20, 15, (Turn(2), Rotate(10.0), Brighten(1.2), Blur(1.0)))
    render(pixels, [inside, Turn(2), Rotate(3.0), Resize(10, 10), Pad(0, 0, 20, 20), Crop(1, 1, 5, 5)])
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("inner", [Turn(2), Turn(4), Rotate(12.0), Brighten(0.6), Blur(2.0)])
def test_edits_in_a_box_touch_nothing_else(inner: Turn | Rotate | Brighten | Blur) -> None:
    pixels = np.random.default_rng(0).integers(100, 256, (60, 80, 3), np.uint8)
    changed = render(pixels, [InBox(10, 20, 40, 50, (inner,))])
    differs = (changed != pixels).any(axis=2)
    assert differs[20:50, 10:40].any()
    differs[20:50, 10:40] = False
    assert not differs.any()


def test_a_flip_in_a_box_mirrors_its_content() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    changed = render(pixels, [InBox(10, 20, 40, 50, (Turn(2),))])
    assert np.array_equal(changed[20:50, 10:40], pixels[20:50, 10:40][:, ::-1])


def test_a_rotation_in_a_box_shows_what_lies_around_it_instead_of_grey() -> None:
    pixels = np.full((60, 80, 3), 200, np.uint8)
    pixels[25:35, 20:60] = 0
    changed = render(pixels, [InBox(20, 10, 60, 50, (Rotate(15.0),))])
    assert set(np.unique(changed[12:18, 22:28])) == {200}


inner_edits = st.one_of(
    st.sampled_from((2, 3, 4)).map(Turn),
    st.floats(-45, 45).map(Rotate),
    st.floats(0.5, 1.5).map(Brighten),
    st.floats(0.1, 3).map(Blur),
)
in_boxes = st.builds(
    lambda x, y, width, height, edits: InBox(x, y, x + width, y + height, tuple(edits)),
    st.integers(0, 50), st.integers(0, 40), st.integers(1, 30), st.integers(1, 20), st.lists(inner_edits, min_size=1, max_size=3),
)  # fmt: skip


@given(st.lists(in_boxes, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_edits_in_many_boxes_are_those_in_one_box_after_the_other(edits: list[InBox]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    before = pixels.copy()
    expected = pixels
    for edit in edits:
        expected = render(expected, [edit])
    assert np.array_equal(render(pixels, edits), expected)
    for view in (Crop(0, 0, 80, 60), Turn(1)):
        assert np.array_equal(render(pixels, [view, *edits]), expected)
    assert np.array_equal(pixels, before)


# --- decoding


def saved(file: Path, format: str, orientation: int = 1, **options: object) -> Path:
    pixels = np.random.default_rng(3).integers(0, 256, (24, 40, 3), np.uint8)
    smooth = Image.fromarray(pixels).resize((160, 96), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth.save(file, format=format, exif=exif, **options)
    return file


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright_as_everywhere_else(tmp_path: Path, orientation: int) -> None:
    file = saved(tmp_path / "사진.jpg", "JPEG", orientation, quality=95)
    upright = images.decode_upright(file)
    decoded = decode(file)[..., ::-1]
    assert decoded.shape == upright.shape
    assert np.abs(decoded.astype(int) - upright).max() <= 4  # two decoders of one JPEG


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_other_formats_are_decoded_without_loss(tmp_path: Path, format: str) -> None:
    file = saved(tmp_path / f"a.{format.lower()}", format)
    assert np.array_equal(decode(file)[..., ::-1], images.decode_upright(file))


@pytest.mark.parametrize(
    ("format", "left"), [("JPEG", 0.3), ("JPEG", 0.95), ("JPEG", 1 - 1e-4), ("PNG", 0.3), ("PNG", 0.95)]
)
def test_a_truncated_picture_is_refused(tmp_path: Path, format: str, left: float) -> None:
    file = saved(tmp_path / "a", format)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * left) - 1])
    with pytest.raises(images.UnreadableImage):
        decode(file)


def test_a_jpeg_with_a_thumbnail_and_a_truncated_end_is_refused(tmp_path: Path) -> None:
    """The thumbnail's end marker is not the picture's."""
    small = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(small, "JPEG")
    file = saved(tmp_path / "a.jpg", "JPEG")
    data = file.read_bytes()
    segment = b"\xff\xe5" + (len(small.getvalue()) + 2).to_bytes(2, "big") + small.getvalue()
    whole = data[:2] + segment + data[2:]
    file.write_bytes(whole)
    assert decode(file).shape == (96, 160, 3)
    file.write_bytes(whole[:-200])
    with pytest.raises(images.UnreadableImage, match="truncated"):
        decode(file)


def test_bytes_behind_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.jpg", "JPEG")
    file.write_bytes(file.read_bytes() + b"\0" * 500)
    assert decode(file).shape == (96, 160, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "I;16", "1", "LA"])
def test_unusual_pixels_become_three_channels(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "a"
    picture = Image.fromarray(np.full((20, 30), 40000, np.uint16)) if mode == "I;16" else Image.new(mode, (30, 20))
    picture.save(file, "JPEG" if mode in ("L", "CMYK") else "PNG")
    assert decode(file).shape == (20, 30, 3)


def test_a_picture_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(images.UnreadableImage, match="No such file"):
        decode(tmp_path / "a.jpg")


@pytest.mark.parametrize("reader", [decode, decode_cutout])
def test_what_is_no_picture_is_unreadable(tmp_path: Path, reader: object) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"no picture" * 20)
    with pytest.raises(images.UnreadableImage):
        reader(tmp_path / "a.png")  # type: ignore[operator]


# --- writing


@pytest.mark.parametrize(
    ("suffix", "written"),
    [(".jpg", ".jpg"), (".JPG", ".jpg"), (".jpeg", ".jpg"), (".mpo", ".jpg"), (".png", ".png"), (".bmp", ".png"),
     (".tif", ".png"), (".webp", ".png")],
)  # fmt: skip
def test_suffixes(suffix: str, written: str) -> None:
    assert edited_suffix(suffix) == written


def test_png_is_written_without_loss_and_jpeg_nearly() -> None:
    pixels = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8), (0, 0), 3)
    png, jpeg = (np.asarray(Image.open(io.BytesIO(encode(pixels, suffix)))) for suffix in (".png", ".jpg"))
    assert np.array_equal(png[..., ::-1], pixels)
    assert np.abs(jpeg[..., ::-1].astype(int) - pixels).max() < 12


def test_all_outputs_of_a_file_are_what_each_is_alone(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png", "PNG", orientation=6)
    lists: list[tuple[Edit, ...]] = [
        (Resize(64, 64),),
        (Resize(64, 64), Turn(2)),
        (Resize(64, 64), Turn(2), Brighten(1.1)),
    ]
    outputs = [
        (ImageRecord(file, str(n), 64, 64, ".png", edits=edits), tmp_path / f"{n}.png") for n, edits in enumerate(lists)
    ]
    write_edited(outputs)
    for (record, target), edits in zip(outputs, lists, strict=True):
        assert np.array_equal(decode(target), render(decode(record.file), edits))
    with Image.open(outputs[0][1]) as written:
        assert dict(written.getexif()) == {}


def test_a_cut_out_is_laid_on_grey(tmp_path: Path) -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[..., 0], rgba[0, :, 3], rgba[1, :, 3] = 200, 255, 128  # red, opaque above, half below
    Image.fromarray(rgba).save(tmp_path / "cut.png")
    record = ImageRecord(tmp_path / "cut.png", "cut", 6, 5, ".png", edits=(Place(1, 2, 6, 5),))
    write_edited([(record, tmp_path / "out.png")])
    canvas = np.asarray(Image.open(tmp_path / "out.png"))
    assert canvas.shape == (5, 6, 3)
    assert canvas[2, 1].tolist() == [200, 0, 0]
    assert canvas[3, 1].tolist() == [157, 57, 57]
    outside = np.ones((5, 6), bool)
    outside[2:4, 1:4] = False
    assert (canvas[outside] == GREY).all()


def test_a_cut_out_without_alpha_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(images.UnreadableImage, match="no alpha"):
        decode_cutout(tmp_path / "a.png")


def test_turning_pixels_is_turning_boxes_for_every_orientation() -> None:
    for orientation in range(1, 9):
        stored = scene(Box(10, 20, 50, 30))
        assert black_box(turn(stored, orientation)) == computed(Box(10, 20, 50, 30), (Turn(orientation),))
