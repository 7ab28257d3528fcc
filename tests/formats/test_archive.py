"""Zip archives: what is read from good ones, and that bad ones leave nothing behind."""

from __future__ import annotations

import io
import os
import stat
import struct
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.cli import run
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import FORMATS, ReadOptions, archive
from yolo_pipeline.progress import Silent

T = TypeVar("T")

ROW = "0 0.5 0.5 0.2 0.4"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (200, 100), (shade, shade, shade)).save(buffer, "JPEG")
    return buffer.getvalue()


def save_zip(file: Path, entries: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries.items():
            opened.writestr(name, content)
    return file


EXPORT: dict[str, bytes | str] = {
    "data.yaml": "names: ['0', 양파]\ntrain: ../train/images\nval: ../valid/images\n",
    "train/images/a.jpg": picture(1),
    "train/labels/a.txt": ROW,
    "valid/images/감자.jpg": picture(2),
    "valid/labels/감자.txt": "1 0.5 0.5 0.2 0.4",
}


@pytest.mark.parametrize("around", ["", "EpicureAi-4/", "one/two/"], ids=["bare", "in a folder", "in two folders"])
def test_a_zip_is_read_as_the_folder_is(tmp_path: Path, around: str) -> None:
    file = save_zip(tmp_path / "export.zip", {around + name: content for name, content in EXPORT.items()})
    folder = tmp_path / "folder"
    with zipfile.ZipFile(file) as opened:
        opened.extractall(folder)
    zipped, _ = formats.read(file)
    plain, _ = formats.read(folder / around)
    assert [(i.name, i.split, i.truths) for i in zipped.images] == [(i.name, i.split, i.truths) for i in plain.images]
    assert [(i.name, i.split) for i in zipped.images] == [
        ("train/images/a.jpg", "train"),
        ("valid/images/감자.jpg", "val"),
    ]
    assert zipped.names == ("0", "양파")


def test_a_zip_without_its_suffix_is_known_by_content(tmp_path: Path) -> None:
    file = save_zip(tmp_path / "a.zip", EXPORT).rename(tmp_path / "roboflow-download")
    assert formats.read(file)[0].boxes == 2


def test_it_is_unpacked_once_and_the_archive_stays(tmp_path: Path, cache: Path) -> None:
    file = save_zip(tmp_path / "export.zip", EXPORT)
    before = file.read_bytes()
    first = formats.read(file)[0].images[0].file
    written = first.stat().st_mtime_ns
    assert formats.read(file)[0].images[0].file == first
    assert (first.stat().st_mtime_ns, file.read_bytes()) == (written, before)
    assert len(list((cache / "yolo_pipeline" / "unpacked").iterdir())) == 1


def test_what_was_not_asked_for_in_a_month_is_removed(tmp_path: Path, cache: Path) -> None:
    old = formats.read(save_zip(tmp_path / "old.zip", EXPORT))[0].images[0].file
    unpacked = cache / "yolo_pipeline" / "unpacked"
    (folder,) = unpacked.iterdir()
    os.utime(folder, (time.time() - 40 * 24 * 3600,) * 2)
    formats.read(save_zip(tmp_path / "new.zip", {**EXPORT, "notes.md": "new"}))
    assert not old.exists()


def test_korean_names_of_windows_tools_are_cp949(tmp_path: Path) -> None:
    file = tmp_path / "windows.zip"
    korean = "파".encode("cp949")
    with zipfile.ZipFile(file, "w") as opened:
        for name, content in {"??.jpg": picture(), "??.txt": ROW, "classes.txt": "egg"}.items():
            opened.writestr(name, content)
    file.write_bytes(file.read_bytes().replace(b"??.jpg", korean + b".jpg").replace(b"??.txt", korean + b".txt"))
    assert [image.name for image in formats.read(file)[0].images] == ["파.jpg"]


def test_an_error_inside_names_the_archive_and_the_entry(tmp_path: Path) -> None:
    file = save_zip(tmp_path / "export.zip", {**EXPORT, "train/labels/a.txt": "0 1 2"})
    with pytest.raises(AnnotationError, match=r"^\S*export\.zip: 1 file cannot be read: train/labels/a\.txt: line 1"):
        formats.read(file)
    file = save_zip(tmp_path / "yaml.zip", {**EXPORT, "data.yaml": "names: ["})
    with pytest.raises(AnnotationError, match=r"^\S*yaml\.zip: data\.yaml: not a YAML file"):
        formats.read(file)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def raw_zip(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> Callable[[Path], None]:
    def save(file: Path) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, content in entries:
                opened.writestr(name, content)

    return save


def encrypted(file: Path) -> None:
    raw_zip(("a.jpg", picture()))(file)
    content = bytearray(file.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    file.write_bytes(content)


def truncated(file: Path) -> None:
    save_zip(file, EXPORT)
    file.write_bytes(file.read_bytes()[:-200])


def flipped(file: Path) -> None:
    raw_zip(("a.txt", b"hello, this is some text" * 40))(file)
    content = bytearray(file.read_bytes())
    content[45] ^= 0xFF
    file.write_bytes(content)


def shifted(file: Path) -> None:
    """The archive says that its directory begins where it does not."""
    save_zip(file, EXPORT)
    content = bytearray(file.read_bytes())
    content[-6] = 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        pytest.param(raw_zip(("../evil.txt", b"x")), "leads out of the archive", id="zip slip"),
        pytest.param(raw_zip(("train/../../evil.txt", b"x")), "leads out of the archive", id="zip slip in the middle"),
        pytest.param(raw_zip(("..\\evil.txt", b"x")), "leads out of the archive", id="zip slip, Windows"),
        pytest.param(raw_zip(("/tmp/evil.txt", b"x")), "is an absolute path", id="absolute"),
        pytest.param(raw_zip(("C:/evil.txt", b"x")), "is an absolute path", id="drive"),
        pytest.param(raw_zip(("c:evil.txt", b"x")), "Windows cannot hold", id="drive without slash"),
        pytest.param(raw_zip(("\\\\host\\share\\x", b"x")), "is an absolute path", id="network path"),
        pytest.param(raw_zip((link("a.jpg"), b"/etc/passwd")), "is a link or a device", id="symbolic link"),
        pytest.param(raw_zip(("CON.txt", b"x")), "Windows cannot hold", id="device name of Windows"),
        pytest.param(raw_zip(("a/nul", b"x")), "Windows cannot hold", id="device name in a folder"),
        pytest.param(raw_zip(("a.jpg.", b"x")), "Windows cannot hold", id="dot at the end, which Windows drops"),
        pytest.param(raw_zip(("a.jpg:stream", b"x")), "Windows cannot hold", id="second stream of NTFS"),
        pytest.param(raw_zip(("a\nb.jpg", b"x")), "control characters", id="newline"),
        pytest.param(raw_zip(("a\u202egpj.exe", b"x")), "control characters", id="text turned round"),
        pytest.param(raw_zip(("a" * 300, b"x")), "a name that is too long", id="name too long for a disk"),
        pytest.param(raw_zip(("a/" * 600, b"x")), "a name that is too long", id="hundreds of folders deep"),
        pytest.param(raw_zip(("bomb.txt", b"\0" * 2**24)), "times its size", id="ratio of a bomb"),
        pytest.param(raw_zip(("a", b"x"), ("a/b", b"x")), "the same name as another's", id="file and folder at once"),
        pytest.param(encrypted, "is encrypted", id="encrypted"),
        pytest.param(truncated, "is not a whole zip archive", id="truncated"),
        pytest.param(shifted, "is not a whole zip archive", id="directory before the archive's beginning"),
        pytest.param(flipped, "is not a whole zip archive", id="wrong checksum"),
        pytest.param(lambda file: file.write_bytes(b""), "is not a whole zip archive", id="empty file"),
    ],
)
def test_a_hostile_archive_is_refused_and_nothing_is_written(
    tmp_path: Path, cache: Path, save: Callable[[Path], None], reason: str
) -> None:
    save(tmp_path / "hostile.zip")
    with pytest.raises(AnnotationError, match=reason) as caught:
        formats.read(tmp_path / "hostile.zip")
    assert str(caught.value).startswith(str(tmp_path / "hostile.zip"))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["hostile.zip"]
    assert list(cache.rglob(".*")) == []


def test_the_same_name_twice(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw_zip(("a.txt", b"1"), ("a.txt", b"2"))(tmp_path / "twice.zip")
    with pytest.raises(AnnotationError, match=r"a\.txt: is there twice"):
        formats.read(tmp_path / "twice.zip")


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [("MAX_ENTRIES", 4, "5 entries, over the limit of 4"), ("MAX_BYTES", 1000, "over the limit of 1000")],
)
def test_caps_on_count_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, reason: str
) -> None:
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(AnnotationError, match=reason):
        formats.read(save_zip(tmp_path / "large.zip", EXPORT))


def test_a_directory_that_lies_about_sizes(tmp_path: Path, cache: Path) -> None:
    """The central directory says 10 bytes; 16 MB are packed."""
    save_zip(tmp_path / "lies.zip", {"a.txt": b"\0" * 2**24})
    content = bytearray((tmp_path / "lies.zip").read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    (tmp_path / "lies.zip").write_bytes(content)
    with pytest.raises(AnnotationError, match="is not a whole zip archive"):
        formats.read(tmp_path / "lies.zip")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_hidden_files_and_those_of_macos_are_passed_over(tmp_path: Path) -> None:
    extra: dict[str, bytes | str] = {
        "__MACOSX/train/images/._a.jpg": b"x",
        ".DS_Store": b"x",
        "train/.hidden.jpg": b"x",
    }
    assert len(formats.read(save_zip(tmp_path / "mac.zip", {**EXPORT, **extra}))[0].images) == 2


@pytest.mark.parametrize(
    "name", ["감자\u3000양파", "a\u00a0b", "👩\u200d🍳"], ids=["wide blank", "fixed blank", "joined emoji"]
)
def test_names_with_unusual_blanks_are_read(tmp_path: Path, name: str) -> None:
    file = save_zip(tmp_path / "a.zip", {"classes.txt": "egg", f"{name}.jpg": picture(), f"{name}.txt": ROW})
    assert [(image.name, len(image.truths)) for image in formats.read(file)[0].images] == [(f"{name}.jpg", 1)]


def test_folders_that_end_in_a_backslash_are_folders(tmp_path: Path) -> None:
    raw_zip(("train\\", b""), ("train\\a.jpg", picture()), ("train\\a.txt", ROW.encode()))(tmp_path / "net.zip")
    dataset, _ = formats.read(tmp_path / "net.zip")
    assert [(image.name, image.split) for image in dataset.images] == [("train/a.jpg", "train")]


def test_a_picture_that_is_gone_from_the_cache_is_unpacked_anew(tmp_path: Path) -> None:
    file = save_zip(tmp_path / "export.zip", EXPORT)
    first, second = (image.file for image in formats.read(file)[0].images)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    dataset, _ = formats.read(file)
    assert [image.file.read_bytes() for image in dataset.images] == [picture(1), picture(2)]


def test_what_is_converted_can_be_edited_in_place(tmp_path: Path) -> None:
    file = save_zip(tmp_path / "export.zip", EXPORT)
    dataset, _ = formats.read(file)
    placed = FORMATS["yolo"].write(dataset, tmp_path / "out", link=True)  # type: ignore[misc]
    for name in placed.values():
        with (tmp_path / "out" / name).open("r+b") as opened:
            opened.write(b"edited")
    assert [image.file.read_bytes() for image in dataset.images] == [picture(1), picture(2)]


class _Second(Silent):
    """When the first command begins to unpack, a second one unpacks the same archive."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        if what.startswith("unpacking"):
            formats.read(self.file)
        return items


def test_two_commands_that_unpack_one_archive_at_once(tmp_path: Path, cache: Path) -> None:
    file = save_zip(tmp_path / "export.zip", EXPORT)
    assert formats.read(file, options=ReadOptions(progress=_Second(file)))[0] == formats.read(file)[0]
    assert len(list((cache / "yolo_pipeline" / "unpacked").iterdir())) == 1


def test_convert_takes_a_zip(tmp_path: Path) -> None:
    file = save_zip(tmp_path / "export.zip", EXPORT)
    assert run(["convert", str(file), str(tmp_path / "out"), "--to", "voc"]) == 0
    assert formats.read(tmp_path / "out")[0].boxes == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_mutated_archives_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    content = bytearray(save_zip(folder / "a.zip", EXPORT).read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    (folder / "a.zip").write_bytes(content[: len(content) - cut])
    try:
        dataset, _ = formats.read(folder / "a.zip")
    except InputError:
        pass
    else:
        assert dataset.images
    assert [path.name for path in folder.iterdir()] == ["a.zip"]
