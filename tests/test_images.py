"""Picture headers, suffixes, upright decoding, and files that are not what they claim."""

from __future__ import annotations

import hashlib
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from yolo_pipeline.images import (
    Header,
    UnreadableImage,
    decode_upright,
    evenly,
    looks_like_picture,
    read_header,
    sha256,
    trainable_suffix,
)

FORMATS = [
    pytest.param("JPEG", "jpg", id="JPEG"),
    pytest.param("PNG", "png", id="PNG"),
    pytest.param("BMP", "bmp", id="BMP"),
    pytest.param("WEBP", "webp", id="WebP"),
    pytest.param("TIFF", "tif", id="TIFF"),
]


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (64, 32), **options: Any) -> Path:
    Image.new(mode, size, "black").save(path, **options)
    return path


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b"\0"))
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


# --- headers


@pytest.mark.parametrize(("format_name", "suffix"), FORMATS)
def test_header_of_every_format(tmp_path: Path, format_name: str, suffix: str) -> None:
    assert read_header(save(tmp_path / f"a.{suffix}")) == Header(format_name, 64, 32, 1)


@pytest.mark.parametrize(("format_name", "suffix"), FORMATS)
def test_format_goes_by_content_not_by_suffix(tmp_path: Path, format_name: str, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}").rename(tmp_path / "a.gif")
    assert read_header(path).format == format_name


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        pytest.param("RGB", {}, id="baseline"),
        pytest.param("RGB", {"progressive": True}, id="progressive"),
        pytest.param("RGB", {"optimize": True, "quality": 10}, id="optimized"),
        pytest.param("RGB", {"comment": b"x" * 3000}, id="long comment"),
        pytest.param("RGB", {"comment": b"x" * 9000}, id="comment longer than the first read"),
        pytest.param("RGB", {"icc_profile": b"x" * 500}, id="colour profile"),
        pytest.param("RGB", {"exif": exif_of(6)}, id="EXIF"),
        pytest.param("RGB", {"exif": exif_of(0)}, id="EXIF with an orientation that is none"),
        pytest.param("L", {}, id="greyscale"),
        pytest.param("CMYK", {}, id="CMYK"),
    ],
)
def test_jpeg_header_agrees_with_pillow(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    path = tmp_path / "a.jpg"
    Image.new(mode, (319, 241)).save(path, **options)
    with Image.open(path) as image:
        orientation = image.getexif().get(274, 1)
        pillow = Header(image.format or "", image.width, image.height, orientation or 1)
    assert read_header(path) == pillow
    assert (pillow.width, pillow.height) == (319, 241)


def test_multi_picture_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    first = Image.new("RGB", (64, 32))
    first.save(path, format="MPO", save_all=True, append_images=[first])
    assert read_header(path).upright_size == (64, 32)
    assert decode_upright(path).shape == (32, 64, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("format_name", "suffix"), [case for case in FORMATS if case.id != "BMP"])
def test_header_and_pixels_agree_on_the_upright_size(
    tmp_path: Path, format_name: str, suffix: str, orientation: int
) -> None:
    path = save(tmp_path / f"a.{suffix}", exif=exif_of(orientation))
    height, width, _ = decode_upright(path).shape
    assert (width, height) == ((32, 64) if orientation >= 5 else (64, 32))
    assert read_header(path).upright_size == (width, height)


def test_stored_size_is_before_the_orientation(tmp_path: Path) -> None:
    header = read_header(save(tmp_path / "a.jpg", exif=exif_of(6)))
    assert header == Header("JPEG", 64, 32, 6)
    assert header.upright_size == (32, 64)


# --- pixels


def test_decoded_pixels_stand_upright(tmp_path: Path) -> None:
    stored = np.zeros((2, 3, 3), np.uint8)
    stored[0, 0] = (255, 0, 0)
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif_of(6))
    pixels = decode_upright(tmp_path / "a.png")
    assert pixels.shape == (3, 2, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 1].tolist() == [255, 0, 0]
    assert int(pixels.sum()) == 255


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_decodes_to_rgb(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (64, 32)).save(tmp_path / "a.png")
    assert decode_upright(tmp_path / "a.png").shape == (32, 64, 3)


def test_sixteen_bit_white_stays_white(tmp_path: Path) -> None:
    """Pillow's plain conversion cuts 16 bits off at 255: everything but the darkest 0.4 % would become white."""
    grey = np.array([[0, 32768, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert decode_upright(tmp_path / "a.png")[0, :, 0].tolist() == [0, 128, 255]


# --- files from strangers


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "the file is empty", id="empty file"),
        pytest.param(b"not a picture", "not a picture of a known kind", id="text"),
        pytest.param(b"\xff\xd8\xff", ".", id="three bytes of a JPEG"),
        pytest.param(b"\xff\xd8\xff\xe0\xff\xff" + b"\0" * 20, ".", id="JPEG segment longer than the file"),
        pytest.param(b"\xff\xd8\xff\xc0\x00\x11\x08\0\0\0\0\x03" + b"\0" * 20, ".", id="JPEG of 0x0"),
        pytest.param(png_header(60000, 60000), "pixels", id="PNG of 60000x60000"),
        pytest.param(png_header(14000, 14000), "178956970", id="PNG a little over the limit"),
        pytest.param(b"RIFF\x04\0\0\0WAVE", "not a picture of a known kind", id="sound"),
    ],
)
@pytest.mark.parametrize("function", [read_header, decode_upright])
def test_what_is_no_picture_is_refused_without_a_warning(
    tmp_path: Path, function: Any, data: bytes, reason: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImage, match=reason):
            function(path)


def test_header_of_a_large_png_is_read_without_a_pixel_or_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_header(10000, 10000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_header(tmp_path / "a.png") == Header("PNG", 10000, 10000, 1)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="No such file"):
        read_header(tmp_path / "a.jpg")


def test_gif_is_refused_by_name_of_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match=r"not a picture of a known kind \(JPEG, .*PNG"):
        read_header(save(tmp_path / "a.gif"))


def test_truncated_jpeg_has_a_header_and_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert read_header(path) == Header("JPEG", 200, 200, 1)
    with pytest.raises(UnreadableImage, match="truncated"):
        decode_upright(path)


# --- the rest


@pytest.mark.parametrize(
    ("name", "format_name", "suffix"),
    [
        pytest.param("a.jpg", "JPEG", ".jpg", id="as it is"),
        pytest.param("a.JPEG", "JPEG", ".JPEG", id="capitals"),
        pytest.param("a.jfif", "JPEG", ".jpg", id="jfif"),
        pytest.param("a.jpe", "JPEG", ".jpg", id="jpe"),
        pytest.param("a", "PNG", ".png", id="none"),
        pytest.param("a.dib", "BMP", ".bmp", id="dib"),
        pytest.param("a.gif", "WEBP", ".webp", id="another kind's, not trainable"),
        pytest.param("a.tmp", "TIFF", ".tif", id="unknown"),
        pytest.param("a.tmp", "MPO", ".jpg", id="several JPEGs"),
    ],
)
def test_suffix_that_training_reads(name: str, format_name: str, suffix: str) -> None:
    assert trainable_suffix(Path(name), Header(format_name, 1, 1)) == suffix


@pytest.mark.parametrize(("format_name", "suffix"), FORMATS)
def test_pictures_look_like_pictures(tmp_path: Path, format_name: str, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}").rename(tmp_path / "without suffix")
    assert looks_like_picture(path)


def test_other_files_do_not_look_like_pictures(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("<annotation/>")
    assert not looks_like_picture(tmp_path / "a")
    assert not looks_like_picture(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("most", "chosen"),
    [
        pytest.param(3, "adg", id="from all over"),
        pytest.param(9, "abcdefghi", id="as many as there are"),
        pytest.param(20, "abcdefghi", id="more than there are"),
        pytest.param(0, "", id="none"),
    ],
)
def test_some_evenly_chosen(most: int, chosen: str) -> None:
    assert evenly("abcdefghi", most) == list(chosen)


def test_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"egg")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"egg").hexdigest()
