"""Files from strangers, given to the command line: one clear line, nothing run, nothing outside the target."""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ended
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.files import write_text

Cli = Callable[..., Ended]
Files = dict[str, str | bytes]

XML = "<annotation><object><name>{}</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>110</xmax><ymax>60</ymax></bndbox></object></annotation>"
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
    + XML.format("&i;")
)
DEEP = 1000


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header says a size, and that holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def save(folder: Path, files: Files) -> Path:
    """`a.jpg`, 200x100, and the files."""
    folder.mkdir(parents=True)
    Image.new("RGB", (200, 100)).save(folder / "a.jpg")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({"a.xml": BOMB}, "a.xml", id="entity bomb"),
        pytest.param({"a.xml": '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + XML.format("&f;")}, "a.xml", id="entity that reads a file"),
        pytest.param({"a.xml": "<annotation>" * DEEP * 100}, "a.xml", id="XML a hundred thousand deep"),
        pytest.param({"a.xml": XML.format("egg"), "b.png": png_header(60_000, 60_000), "b.xml": XML.format("egg")}, "b.png: more than 178956970 pixels", id="picture of 3.6 gigapixels"),
        pytest.param({"a.xml": XML.format("egg"), "b.jpg": b"\xff\xd8\xff\xe0\0\x10JF", "b.xml": XML.format("egg")}, "b.jpg", id="picture cut off in its header"),
        pytest.param({"a.json": "[" * DEEP + "]" * DEEP}, "a.json", id="JSON a thousand deep"),
        pytest.param({"a.json": '{"images": ' + "9" * 5000 + "}"}, "a.json", id="an integer of 5,000 digits"),
        pytest.param({"data.yaml": "names: " + "[" * DEEP + "]" * DEEP}, "data.yaml", id="YAML a thousand deep"),
        pytest.param({"data.yaml": "names: !!python/object/apply:os.system ['touch hacked']"}, "data.yaml", id="YAML that makes objects"),
        pytest.param({"data.yaml": "a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b, *b]"}, "data.yaml", id="YAML that grows by aliases"),
        pytest.param({"a.txt": "0 nan nan nan nan\n0 0.5 0.5 1e999 1e999\nx", "classes.txt": "egg"}, "a.txt: line 3", id="rows of no numbers"),
    ],
)  # fmt: skip
def test_a_hostile_source_is_one_line_and_leaves_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = save(tmp_path / "source", files)
    before = sorted(path.read_bytes() for path in source.rglob("*") if path.is_file())
    ended = cli("convert", source, tmp_path / "out", "--json")
    assert ended.code == 3
    (line,) = [line for line in ended.err.splitlines() if line]
    assert line.startswith("error: ")
    assert said in line
    assert ended.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert sorted(path.read_bytes() for path in source.rglob("*") if path.is_file()) == before


def test_names_that_differ_in_case_or_composition_only(cli: Cli, tmp_path: Path) -> None:
    names = ["b.jpg", "B.jpg", unicodedata.normalize("NFC", "감자.jpg"), unicodedata.normalize("NFD", "감자.jpg")]
    source = save(tmp_path / "source", {"classes.txt": "egg", "a.txt": "0 0.5 0.5 0.1 0.1"})
    for number, name in enumerate(names):
        Image.new("RGB", (200, 100), (number, 0, 0)).save(source / name)
    assert cli("convert", source, tmp_path / "out").code == 0
    stems = [unicodedata.normalize("NFC", path.stem).casefold() for path in (tmp_path / "out/images/train").iterdir()]
    assert len(set(stems)) == len(stems) == 5


BOX_FORMATS = [name for name, entry in formats.FORMATS.items() if entry.write and name != "folders"]


@pytest.mark.parametrize("target", BOX_FORMATS)
def test_newlines_in_names_forge_no_line_and_survive_no_class_name(cli: Cli, tmp_path: Path, target: str) -> None:
    source = save(tmp_path / "source", {"c\nerror: forged.xml": XML.format("egg\n  1: hacked")})
    Image.new("RGB", (200, 100)).save(source / "c\nerror: forged.jpg")
    ended = cli("convert", source, tmp_path / "out", "--to", target)
    assert ended.code == 0
    assert not any(line.startswith("error:") for line in (ended.out + ended.err).splitlines())
    assert formats.read(tmp_path / "out", target)[0].names == ("egg 1: hacked",)


def test_json_of_convert_stays_one_document_whatever_the_names(cli: Cli, tmp_path: Path) -> None:
    source = save(tmp_path / "source", {'c"}\n{"images": 0.xml': XML.format("egg")})
    ended = cli("convert", source, tmp_path / "out", "--json", "--unlabelled", "background")
    assert json.loads(ended.out)["images"] == 1


def test_links_to_folders_are_not_followed(cli: Cli, tmp_path: Path) -> None:
    source = save(tmp_path / "source", {"a.xml": XML.format("egg")})
    (source / "loop").symlink_to(source, target_is_directory=True)
    ended = cli("convert", source, tmp_path / "out", "--json")
    assert json.loads(ended.out)["images"] == 1


def test_a_file_that_cannot_be_written_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "report.md").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_text(tmp_path / "report.md", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
