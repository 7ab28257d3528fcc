"""Pictures from anywhere, as a model is shown them: what is read, as which pixels, and what is refused with what words."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.decoding import Picture, decode, decode_any
from yolo_pipeline.images import UnreadableImage, read_header

WIDTH, HEIGHT = 40, 30
RED, GREEN, BLUE, GREY = [0, 0, 255], [0, 255, 0], [255, 0, 0], [128, 128, 128]  # blue first


def corner(colour: Any = "red", mode: str = "RGB") -> Image.Image:
    """A white picture with a colour in its left upper corner: one block of a JPEG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    image.paste(Image.new("RGB", (16, 16), colour))
    return image.convert(mode)


def noise(side: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


def saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format_name, **options)
    return out.getvalue()


def animated(format_name: str, frames: int) -> bytes:
    others = [corner((0, 5 * number, 200)) for number in range(1, frames)]
    return saved(corner(), format_name, save_all=True, append_images=others)


def turned(format_name: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return saved(corner(), format_name, exif=exif)


def see_through(mode: str) -> Image.Image:
    image = corner().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image.convert(mode)


def palette_with_alpha() -> bytes:
    image = corner().quantize(2)
    return saved(image, "PNG", transparency=bytes([0, 128]))


def sixteen_bits(shape: tuple[int, ...], suffix: str) -> bytes:
    pixels = np.full((HEIGHT, WIDTH, *shape), 65535, np.uint16)
    pixels[:16, :16] = 32768 if not shape else (0, 0, 65535)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def thirty_two_bits(values: tuple[float, float], dtype: Any) -> bytes:
    pixels = np.full((HEIGHT, WIDTH), values[1], dtype)
    pixels[:16, :16] = values[0]
    return saved(Image.fromarray(pixels), "TIFF")


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b"\0"), b"IEND")
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def of_many_scans() -> bytes:
    """A progressive JPEG whose last scan comes 100 times more."""
    data = saved(noise(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * 100 + data[-2:]


READ = [
    pytest.param("a.jpg", saved(corner(), "JPEG"), RED, "", id="JPEG"),
    pytest.param("a.jpg", saved(corner(), "JPEG", progressive=True), RED, "", id="progressive JPEG"),
    pytest.param("a.jpg", saved(corner(mode="CMYK"), "JPEG"), RED, "", id="CMYK JPEG"),
    pytest.param("a.jpg", saved(corner("#808080", "L"), "JPEG"), GREY, "", id="greyscale JPEG"),
    pytest.param("a.jpg", animated("MPO", 2), RED, "", id="a preview behind a JPEG"),
    pytest.param("a.jpg", saved(corner(), "JPEG") + b"\xff\xda\0" * 200 + b"\xff\xd9", RED, "", id="a film behind a JPEG"),
    pytest.param("a.jpg", saved(corner(), "JPEG", icc_profile=b"\xff\xda\0" * 200), RED, "", id="a profile that looks like scans"),
    pytest.param("a.tif", saved(corner(mode="CMYK"), "TIFF"), RED, "", id="CMYK TIFF"),
    pytest.param("a.png", sixteen_bits((), ".png"), GREY, "", id="16-bit grey PNG"),
    pytest.param("a.png", sixteen_bits((3,), ".png"), RED, "", id="16-bit RGB PNG"),
    pytest.param("a.tif", sixteen_bits((), ".tif"), GREY, "", id="16-bit grey TIFF"),
    pytest.param("a.tif", sixteen_bits((3,), ".tif"), RED, "", id="16-bit RGB TIFF"),
    pytest.param("a.tif", thirty_two_bits((0.5, 1), np.float32), GREY, "", id="float TIFF up to 1"),
    pytest.param("a.tif", thirty_two_bits((128, 255), np.float32), GREY, "", id="float TIFF up to 255"),
    pytest.param("a.tif", thirty_two_bits((32896, 65535), np.int32), GREY, "", id="32-bit TIFF up to 65535"),
    pytest.param("a.png", palette_with_alpha(), RED, "", id="palette with alpha"),
    pytest.param("a.png", saved(see_through("RGBA"), "PNG"), RED, "", id="colour beneath transparency"),
    pytest.param("a.png", saved(see_through("LA"), "PNG"), [76, 76, 76], "", id="grey with alpha"),
    pytest.param("a.png", saved(corner("black", "1"), "PNG"), [0, 0, 0], "", id="black and white"),
    pytest.param("a.bmp", saved(corner(), "BMP"), RED, "", id="BMP"),
    pytest.param("a.avif", saved(corner(), "AVIF", quality=100), RED, "", id="AVIF"),
    pytest.param("a.gif", saved(corner(), "GIF"), RED, "", id="GIF that stands still"),
    pytest.param("a.gif", animated("GIF", 12), RED, "the first of 12 frames", id="animated GIF"),
    pytest.param("a.webp", animated("WEBP", 3), RED, "the first of 3 frames", id="animated WebP"),
    pytest.param("a.png", animated("PNG", 3), RED, "the first of 3 frames", id="animated PNG"),
    pytest.param("a.avif", animated("AVIF", 3), RED, "the first of 3 frames", id="AVIF in frames"),
    pytest.param("a.tif", animated("TIFF", 3), RED, "the first of 3 pages", id="TIFF of three pages"),
    pytest.param("a.tif", animated("TIFF", 101), RED, "the first of many pages", id="TIFF of more pages than are counted"),
    pytest.param("a.png", saved(corner(), "JPEG"), RED, "", id="JPEG named .png"),
    pytest.param("a.jpg", saved(corner(), "GIF"), RED, "", id="GIF named .jpg"),
    pytest.param("a.txt", saved(corner(), "WEBP", lossless=True), RED, "", id="WebP named .txt"),
    pytest.param("사진.jpg", saved(corner(), "JPEG"), RED, "", id="Korean name"),
    pytest.param("사진.png", saved(corner(), "PNG"), RED, "", id="decomposed Korean name"),
    pytest.param("🦷 x.webp", saved(corner(), "WEBP", lossless=True), RED, "", id="emoji"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "colour", "note"), READ)
def test_pictures_are_read_upright_blue_first(
    tmp_path: Path, name: str, data: bytes, colour: list[int], note: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    picture = decode_any(file)
    assert picture.pixels.shape == (30, 40, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert np.abs(picture.pixels[5, 5].astype(int) - colour).max() <= 3
    assert picture.pixels[25, 35].min() >= 252
    assert picture.note == note
    assert read_header(file, images.VIEWABLE).upright_size == (40, 30)


@pytest.mark.parametrize(
    ("orientation", "size", "at"),
    [
        pytest.param(1, (40, 30), (5, 5), id="upright"),
        pytest.param(3, (40, 30), (35, 25), id="upside down"),
        pytest.param(6, (30, 40), (25, 5), id="to be turned clockwise"),
        pytest.param(8, (30, 40), (5, 35), id="to be turned the other way"),
        pytest.param(5, (30, 40), (5, 5), id="transposed"),
    ],
)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_orientation(
    tmp_path: Path, format_name: str, orientation: int, size: tuple[int, int], at: tuple[int, int]
) -> None:
    file = tmp_path / "a"
    file.write_bytes(turned(format_name, orientation))
    pixels = decode_any(file).pixels
    assert (pixels.shape[1], pixels.shape[0]) == size == read_header(file, images.VIEWABLE).upright_size
    x, y = at
    assert np.abs(pixels[y, x].astype(int) - RED).max() <= 12
    assert pixels[size[1] - 1 - y, size[0] - 1 - x].min() >= 240


@pytest.mark.parametrize("size", [pytest.param((1, 1), id="1x1"), pytest.param((3000, 1), id="3000x1")])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_tiny_and_flat_pictures(tmp_path: Path, format_name: str, size: tuple[int, int]) -> None:
    file = tmp_path / "a"
    file.write_bytes(saved(Image.new("RGB", size, "#0000ff"), format_name))
    pixels = decode_any(file).pixels
    assert pixels.shape == (size[1], size[0], 3)
    assert np.abs(pixels[0, -1].astype(int) - BLUE).max() <= 8


@pytest.mark.parametrize(
    ("format_name", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P")),
        *(("BMP", mode) for mode in ("RGB", "RGBA", "L", "P")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA", "L")),
        *(("TIFF", mode) for mode in ("RGB", "RGBA", "L", "P", "CMYK")),
    ],
)
def test_pixels_are_those_that_training_reads(tmp_path: Path, format_name: str, mode: str) -> None:
    file = tmp_path / "a"
    image = noise()
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.convert(mode).save(file, format_name)
    assert np.array_equal(decode_any(file).pixels, decode(file))
    if (format_name, mode) != ("TIFF", "RGBA"):  # OpenCV multiplies a TIFF's colours by alpha
        ultralytics = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(decode_any(file).pixels, ultralytics)


# --- what is refused

HALF = {
    format_name: (data := saved(noise(), format_name))[: len(data) // 2]
    for format_name in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "BMP")
}
BROKEN = "begins like a picture, but is broken or truncated"
NO_PICTURE = r"not a picture of a known kind \(JPEG, PNG, BMP, WEBP, TIFF, GIF, AVIF\)"
REFUSED = [
    *(pytest.param(data, "truncated", id=f"truncated {format_name}") for format_name, data in HALF.items()),
    pytest.param(saved(noise(), "JPEG", progressive=True)[:-800], "truncated", id="truncated progressive JPEG"),
    pytest.param(HALF["JPEG"] + b"\0" * 9000, "truncated", id="JPEG filled up with zeros"),
    pytest.param(HALF["JPEG"] + b"\xff\xda" + b"\0" * 9000, "truncated", id="JPEG filled up with zeros from a scan on"),
    pytest.param(of_many_scans(), "it is coded in more than 100 scans", id="JPEG that is decoded for minutes"),
    pytest.param(b"", "the file is empty", id="empty"),
    pytest.param(b"this is not a picture", NO_PICTURE, id="text"),
    pytest.param(b"<html>404</html>", NO_PICTURE, id="page"),
    pytest.param(b"\0\0\0\x18ftypheic" + b"\0" * 40, NO_PICTURE, id="HEIC"),
    pytest.param(b"\0\0\0\x18ftypavif" + b"\0" * 40, BROKEN, id="AVIF without anything"),
    pytest.param(b"GIF89a", BROKEN, id="six bytes of a GIF"),
    pytest.param(png_of(60000, 60000), "more than 178956970 pixels", id="bomb"),
    pytest.param(
        b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + struct.pack("<HHHHB", 0, 0, 9, 9, 0) + b"\2\0;",
        "more than 178956970 pixels", id="GIF bomb",
    ),
    pytest.param(thirty_two_bits((-3, 9000), np.float32), "32-bit values, from -3 to 9000, are no brightness", id="heights"),
    pytest.param(thirty_two_bits((float("nan"), 1), np.float32), "32-bit values, .*nan.* no brightness", id="NaN"),
    pytest.param(thirty_two_bits((0, 2**31 - 1), np.int32), "are no brightness", id="large numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_unreadable_pictures_are_refused_in_words_and_without_a_warning(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImage, match=reason) as refused:
            decode_any(file)
    assert str(tmp_path) not in str(refused.value)
    assert len(str(refused.value)) < 150


def test_nothing_folders_and_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    for name in ("none.jpg", "folder.jpg"):
        with pytest.raises(UnreadableImage):
            decode_any(tmp_path / name)
    (tmp_path / "dangling.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    for name, reason in (("dangling.jpg", "No such file"), ("loop.jpg", "symbolic links")):
        with pytest.raises(UnreadableImage, match=reason):
            decode_any(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").symlink_to("/dev/zero")
    code = (
        "import sys; from pathlib import Path; from yolo_pipeline import decoding, images\n"
        "for name in sys.argv[1:]:\n"
        "    try: decoding.decode_any(Path(name))\n"
        "    except images.UnreadableImage as error: print(error)"
    )
    files = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["it is a pipe or a device, not a file"] * 2


@contextmanager
def unprivileged() -> Iterator[None]:
    """Somebody whom permissions bind: root is nobody for a while."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are others on Windows")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_no_permission(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(saved(corner(), "JPEG"))
    file.chmod(0)
    with unprivileged(), pytest.raises(UnreadableImage, match="Permission denied"):
        decode_any(file)


@pytest.mark.parametrize("start", [b"RIFF\0\0\0\xc0WEBPVP8 ", b"\0\0\0\x1cftypavif", b"\xff\xd8\xff\xe1", b"GIF89a"])
def test_a_huge_file_is_refused_unread(tmp_path: Path, start: bytes) -> None:
    """Of WebP and AVIF, Pillow reads all to learn the size."""
    file = tmp_path / "a.jpg"
    with file.open("wb") as out:
        out.write(start)
        out.truncate(2**30 + 1)  # of which the disk holds the first bytes
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableImage, match="a file of 1073741825 bytes, over the limit of 1073741824"):
            decode_any(file)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_another_library_in_the_place_of_pillows_open_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ultralytics puts one there that looks for a package where a file is no picture, and may install it."""

    def installing(*arguments: object, **options: object) -> None:
        raise ModuleNotFoundError("No module named 'pi_heif'")

    monkeypatch.setattr(Image, "open", installing)
    text, png = tmp_path / "text.jpg", tmp_path / "a.png"
    text.write_bytes(b"this is not a picture")
    png.write_bytes(saved(corner(), "PNG"))
    with pytest.raises(UnreadableImage, match=NO_PICTURE):
        decode_any(text)
    assert np.array_equal(decode_any(png).pixels, decode(png))


def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
    for name, data in (
        ("a.jpg", saved(corner(), "JPEG")),
        ("b.gif", animated("GIF", 3)),
        ("c.avif", saved(corner(), "AVIF")),
    ):
        (tmp_path / name).write_bytes(data)
        opened.clear()
        decode_any(tmp_path / name)
        assert opened.count(str(tmp_path / name)) == 1


# --- training keeps its own list


@pytest.mark.parametrize("format_name", ["GIF", "AVIF"])
def test_what_training_cannot_read_is_for_viewing_alone(tmp_path: Path, format_name: str) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(saved(corner(), format_name))
    assert read_header(file, images.VIEWABLE).format == format_name
    for function in (read_header, decode, images.decode_upright):
        with pytest.raises(UnreadableImage, match=r"not a picture of a known kind \(JPEG, PNG, BMP, WEBP, TIFF\)"):
            function(file)


def test_warnings_stay_as_they_were_when_threads_decode(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(palette_with_alpha())  # of which Pillow warns
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(decode_any, [tmp_path / "a.png"] * 200))) == 200
        assert list(warnings.filters) == before
    assert told == []


# --- any bytes

WHOLE = {
    "JPEG": saved(noise(), "JPEG", quality=50),
    "JPEG with EXIF": turned("JPEG", 6),
    "progressive": saved(noise(), "JPEG", progressive=True, quality=30),
    "PNG": saved(noise(24), "PNG"),
    "APNG": animated("PNG", 3),
    "WebP": saved(noise(24), "WEBP"),
    "animated WebP": animated("WEBP", 3),
    "GIF": animated("GIF", 3),
    "AVIF": saved(noise(), "AVIF"),
    "TIFF": turned("TIFF", 6),
    "pages": animated("TIFF", 3),
    "packed TIFF": saved(noise(24), "TIFF", compression="tiff_lzw"),
    "BMP": saved(noise(24), "BMP"),
    "MPO": animated("MPO", 2),
}


def truncated(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def mutated(data: bytes, changes: list[tuple[float, int]]) -> bytes:
    changed = bytearray(data)
    for at, value in changes:
        changed[int(at * len(data))] = value
    return bytes(changed)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "a"


def read_or_refused(file: Path) -> Picture | None:
    """Of the size that the header says, or refused in words: nothing else may happen.

    Where damage has made the size enormous, but not more than may be, the picture is left alone: that takes seconds.
    """
    try:
        width, height = read_header(file, images.VIEWABLE).upright_size
        if width * height > 2**22:
            return None
        picture = decode_any(file)
    except UnreadableImage:
        return None
    assert picture.pixels.shape == (height, width, 3)
    return picture


shares = st.floats(0, 1, exclude_max=True)
near_the_start = st.floats(0, 0.1)


@pytest.mark.parametrize("kind", WHOLE)
def test_any_damage_is_read_or_refused(scratch: Path, kind: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(near_the_start | shares, st.integers(0, 255)), max_size=6), shares | st.just(1.0))
    def damaged(changes: list[tuple[float, int]], share: float) -> None:
        scratch.write_bytes(truncated(mutated(WHOLE[kind], changes), share))
        read_or_refused(scratch)

    damaged()


@pytest.mark.parametrize("kind", ["JPEG", "progressive", "PNG", "WebP", "AVIF", "packed TIFF", "BMP"])
def test_no_truncated_picture_is_read(scratch: Path, kind: str) -> None:
    @settings(max_examples=30, deadline=None)
    @given(st.floats(0, 0.98))
    def cut(share: float) -> None:
        scratch.write_bytes(truncated(WHOLE[kind], share))
        assert read_or_refused(scratch) is None

    cut()


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([data[:16] for data in WHOLE.values()]), rest=st.binary(max_size=300))
def test_what_only_begins_like_a_picture(scratch: Path, start: bytes, rest: bytes) -> None:
    scratch.write_bytes(start + rest)
    read_or_refused(scratch)
