"""best.zip: what goes in comes out, in the same bytes each time; strangers' zips are refused; checkpoints are found."""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.tfapi.weights import About, checkpoint_prefix, pack, read_about, unpack

posix = pytest.mark.skipif(os.name == "nt", reason="Windows says that it is not there")
ABOUT = About("ssd_mobilenet_v2_fpnlite_320x320", 320, ("충치", "정상"), 1200, 2_500_000)
CONFIG, LABEL_MAP = "model { ssd { } }\n", 'item { name: "충치" id: 1 }\n'
SAID: dict[str, Any] = {
    "kind": "yolo_pipeline tfapi",
    "model": "ssd_mobilenet_v2_fpnlite_320x320",
    "size": 320,
    "names": ["충치", "정상"],
    "step": 1200,
    "parameters": 2500000,
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr("yolo_pipeline.formats.unpacking.cache_folder", lambda: folder)
    return folder


def checkpoint(folder: Path, name: str, parts: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.index").write_bytes(b"index of " + name.encode())
    for part in range(parts):
        (folder / f"{name}.data-{part:05}-of-{parts:05}").write_bytes(bytes(range(256)) * 10)
    return folder / name


def packed(tmp_path: Path, name: str = "best.zip") -> Path:
    file = tmp_path / "run" / name
    pack(file, ABOUT, CONFIG, LABEL_MAP, checkpoint(tmp_path / "best", "ckpt-1200"))
    return file


def entries(**changed: bytes | None) -> dict[str, bytes]:
    """The entries of a small best.zip; None takes one out."""
    good = {
        "model.json": json.dumps(SAID).encode(),
        "pipeline.config": CONFIG.encode(),
        "label_map.pbtxt": LABEL_MAP.encode(),
        "ckpt.index": b"index",
        "ckpt.data-00000-of-00001": b"data",
    }
    return {name: content for name, content in {**good, **changed}.items() if content is not None}


def zipped(file: Path, contents: dict[str, bytes], mode: int = 0o644) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return file


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    weights = unpack(packed(tmp_path))

    assert weights.about == ABOUT
    assert weights.config.read_text(encoding="utf-8") == CONFIG
    assert weights.label_map.read_text(encoding="utf-8") == LABEL_MAP
    assert Path(f"{weights.checkpoint}.index").read_bytes() == b"index of ckpt-1200"
    assert Path(f"{weights.checkpoint}.data-00000-of-00001").read_bytes() == bytes(range(256)) * 10


def test_the_same_model_is_packed_in_the_same_bytes_with_nothing_of_this_disk(tmp_path: Path) -> None:
    first = packed(tmp_path).read_bytes()
    (tmp_path / "best" / "ckpt-1200.index").touch()

    assert packed(tmp_path, "again.zip").read_bytes() == first
    assert str(tmp_path).encode() not in first
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["again.zip", "best.zip"]


def test_it_is_stored_with_fixed_dates_in_sorted_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(tmp_path)) as archive:
        infos = archive.infolist()

    assert [info.filename for info in infos] == [
        "ckpt.data-00000-of-00001", "ckpt.index", "label_map.pbtxt", "model.json", "pipeline.config",
    ]  # fmt: skip
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}


def test_it_says_what_it_is_without_being_unpacked(tmp_path: Path, cache: Path) -> None:
    file = packed(tmp_path)

    assert read_about(file) == ABOUT
    assert not cache.exists()


def test_it_is_found_again_by_its_content(tmp_path: Path) -> None:
    file = packed(tmp_path)
    moved = shutil.copyfile(file, tmp_path / "이름.zip")

    assert unpack(file).folder == unpack(moved).folder


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_checkpoint_that_is_not_whole_is_not_packed(tmp_path: Path, suffix: str) -> None:
    prefix = checkpoint(tmp_path / "best", "ckpt-3")
    Path(f"{prefix}{suffix}").unlink()

    with pytest.raises(WeightsError, match="this part of the checkpoint is not there"):
        pack(tmp_path / "best.zip", ABOUT, CONFIG, LABEL_MAP, prefix)
    assert not (tmp_path / "best.zip").exists()


def said(**changed: Any) -> dict[str, bytes]:
    return entries(**{"model.json": json.dumps({**SAID, **changed}).encode()})


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        pytest.param(entries(**{"ckpt.index": None}), "it must hold ckpt.data-00000-of-00001", id="no index"),
        pytest.param(entries(**{"model.json": None}), "it must hold ckpt.data-00000-of-00001", id="no model.json"),
        pytest.param(entries(**{"more.py": b""}), "and nothing else", id="one file more"),
        pytest.param(entries(**{"../out": b""}), "and nothing else", id="a path that leads out"),
        pytest.param({"a.jpg": b""}, "and nothing else", id="pictures"),
        pytest.param({}, "and nothing else", id="empty"),
        pytest.param(entries(**{"model.json": b"{"}), "is no best.zip of this track (Expecting", id="half a JSON"),
        pytest.param(entries(**{"model.json": b"\xff"}), "is no best.zip of this track ('utf-8'", id="no UTF-8"),
        pytest.param(entries(**{"model.json": b"[]"}), "its model.json does not say so", id="a list"),
        pytest.param(entries(**{"model.json": b"[" * 100_000}), "is no best.zip of this track (", id="nested deep"),
        pytest.param(said(kind="other"), "its model.json does not say so", id="another kind"),
        pytest.param(said(size="320"), "model.json: size: is '320', no whole number", id="size as text"),
        pytest.param(said(size=True), "model.json: size: is True, no whole number", id="size true"),
        pytest.param(said(step=-1), "model.json: step: is -1, no whole number", id="negative step"),
        pytest.param(said(parameters=1e308), "model.json: parameters: is 1e+308", id="float"),
        pytest.param(said(model=None), "model.json: model: is no name", id="no model"),
        pytest.param(said(model="a\nb"), "model.json: model: is no name", id="a model of two lines"),
        pytest.param(said(names=[]), "model.json: names: is no list of different class names", id="no classes"),
        pytest.param(said(names="ab"), "model.json: names: is no list of different class names", id="classes as text"),
        pytest.param(said(names=["a", "a"]), "model.json: names: is no list of different class names", id="twice"),
        pytest.param(said(names=["a", ["b"]]), "model.json: names: is no list of different class names", id="nested"),
        pytest.param(said(names=["a\u202e"]), "model.json: names: is no list of different", id="turns text round"),
    ],
)
def test_other_zips_are_refused(tmp_path: Path, contents: dict[str, bytes], reason: str) -> None:
    file = zipped(tmp_path / "best.zip", contents)

    with pytest.raises(WeightsError) as caught:
        unpack(file)

    assert reason in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_an_entry_twice_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "best.zip", entries())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("ckpt.index", b"another")

    with pytest.raises(WeightsError, match="and nothing else"):
        unpack(file)


def test_links_are_refused_and_nothing_is_left(tmp_path: Path, cache: Path) -> None:
    file = zipped(tmp_path / "best.zip", entries(), mode=stat.S_IFLNK | 0o777)

    with pytest.raises(WeightsError, match="is a link or a device in an archive"):
        unpack(file)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_text_as_large_as_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "best.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries(**{"model.json": b" " * 20_000_000}).items():
            archive.writestr(name, content)

    with pytest.raises(WeightsError, match=r"model\.json: is said to be 20000000 bytes"):
        read_about(file)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_is_packed_in_a_rare_way_is_refused_unread(tmp_path: Path, packing: int) -> None:
    file = tmp_path / "best.zip"
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, content in entries().items():
            archive.writestr(name, content)
    damaged = bytearray(file.read_bytes())
    at = damaged.index(b"model.json") + 22
    damaged[at : at + 20] = b"\xff" * 20
    file.write_bytes(damaged)

    with pytest.raises(WeightsError, match="is packed in a way that is rare in zip archives"):
        read_about(file)


def test_a_checkpoint_too_large_for_plain_zip_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # for 2 GiB

    assert Path(f"{unpack(packed(tmp_path)).checkpoint}.data-00000-of-00001").stat().st_size == 2560


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut off"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"PK\x03\x04" + bytes(1000), id="zeros"),
        pytest.param(lambda data: data.replace(b'"kind"', b'"kine"'), id="a byte turned: its checksum"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = packed(tmp_path)
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(WeightsError):
        unpack(file)


def test_what_is_no_file_is_no_weights(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.zip"):
        with pytest.raises(WeightsError, match="cannot be read"):
            read_about(path)


def a_run(folder: Path) -> None:
    """As TensorFlow leaves it: a list of checkpoints beside several of them."""
    checkpoint(folder, "ckpt-3")
    checkpoint(folder, "ckpt-12")
    (folder / "checkpoint").write_text('model_checkpoint_path: "ckpt-12"\nall_model_checkpoint_paths: "ckpt-3"\n')


def a_moved_run(folder: Path) -> None:
    a_run(folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "/content/drive/training/ckpt-3"\n')


def a_korean_run(folder: Path) -> None:
    """With names as protobuf's text writes them."""
    checkpoint(folder, "충치-3")
    checkpoint(folder, "충치-12")
    listed = "".join(f"\\{byte:03o}" for byte in "충치".encode())
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{listed}-12"\n')


def a_run_with_a_damaged_list(folder: Path) -> None:
    checkpoint(folder, "ckpt-3")
    (folder / "checkpoint").write_bytes(b'model_checkpoint_path: "\xff')


@pytest.mark.parametrize(
    ("make", "named", "expected"),
    [
        pytest.param(a_run, "ckpt-3", "ckpt-3", id="a prefix"),
        pytest.param(a_run, "ckpt-3.index", "ckpt-3", id="its index"),
        pytest.param(a_run, "ckpt-3.data-00000-of-00001", "ckpt-3", id="its data"),
        pytest.param(a_run, "", "ckpt-12", id="a folder with a list: the last"),
        pytest.param(a_moved_run, "", "ckpt-3", id="a list made on another machine"),
        pytest.param(a_korean_run, "", "충치-12", id="a list with escapes"),
        pytest.param(a_run_with_a_damaged_list, "", "ckpt-3", id="a damaged list, and one checkpoint"),
        pytest.param(lambda f: checkpoint(f, "model.ckpt-7"), "", "model.ckpt-7", id="a folder with one"),
        pytest.param(lambda f: checkpoint(f, "ckpt-7", parts=3), "ckpt-7", "ckpt-7", id="data in three parts"),
        pytest.param(
            lambda f: checkpoint(f / "checkpoint", "ckpt-0"), "", "checkpoint/ckpt-0", id="a folder of the zoo"
        ),
    ],
)
def test_a_checkpoint_is_found_by_what_users_name(
    tmp_path: Path, make: Callable[[Path], None], named: str, expected: str
) -> None:
    folder = tmp_path / "체크포인트"
    make(folder)

    assert checkpoint_prefix(folder / named) == str(folder / expected)


def test_a_checkpoint_is_found_in_a_best_zip(tmp_path: Path) -> None:
    prefix = checkpoint_prefix(packed(tmp_path))

    assert Path(f"{prefix}.index").read_bytes() == b"index of ckpt-1200"


def two(folder: Path) -> None:
    checkpoint(folder, "ckpt-3")
    checkpoint(folder, "ckpt-5")


def without_data(folder: Path) -> None:
    checkpoint(folder, "ckpt-3")
    (folder / "ckpt-3.data-00000-of-00001").unlink()


def without_a_part(folder: Path) -> None:
    checkpoint(folder, "ckpt-3", parts=3)
    (folder / "ckpt-3.data-00001-of-00003").unlink()


def listed_but_gone(folder: Path) -> None:
    a_run(folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "ckpt-99"\n')


def text(folder: Path) -> None:
    folder.mkdir()
    (folder / "weights.pt").write_bytes(b"PK")


@pytest.mark.parametrize(
    ("make", "named", "reason"),
    [
        pytest.param(two, "", "holds 2 checkpoints (ckpt-3, ckpt-5). Name one: ", id="a folder with two, and no list"),
        pytest.param(two, "ckpt-4", "there is no such checkpoint", id="a number that is not there"),
        pytest.param(two, "ckpt", "there is no such checkpoint", id="half a name"),
        pytest.param(two, "c" * 300, "File name too long", id="a name longer than any", marks=posix),
        pytest.param(two, "nowhere/ckpt-3", "there is no such checkpoint", id="no such folder"),
        pytest.param(without_data, "ckpt-3", "a part of the checkpoint is missing", id="an index alone"),
        pytest.param(without_data, "", "holds no checkpoint of TensorFlow", id="a folder with an index alone"),
        pytest.param(without_a_part, "ckpt-3.index", "a part of the checkpoint is missing", id="two parts of three"),
        pytest.param(listed_but_gone, "", "names ckpt-99 as the last checkpoint", id="a list of what is gone"),
        pytest.param(text, "weights.pt", "is no checkpoint of TensorFlow", id="weights of another kind"),
        pytest.param(text, "", "holds no checkpoint of TensorFlow", id="a folder without any"),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, make: Callable[[Path], None], named: str, reason: str
) -> None:
    folder = tmp_path / "here"
    make(folder)

    with pytest.raises(WeightsError) as caught:
        checkpoint_prefix(folder / named)

    assert reason in str(caught.value)
