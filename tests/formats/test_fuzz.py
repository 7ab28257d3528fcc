"""Every reader on damaged files: a data set or a clear error, never anything else, and no file outside the cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.classification import whole
from yolo_pipeline.errors import InputError
from yolo_pipeline.formats import FORMATS
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth

TRUTHS = (Truth(Box(10, 10, 60, 50), "egg"), Truth(Box(20, 5, 90, 80), "양파"))
YAML = (b" !!bool maybe", b' !!int ""', b" !!timestamp abc", b" !!python/name:os.system", b" &a ", b" *a")
READ_ONLY = {
    "via": ("via.json", json.dumps({
        f"{name}1": {"filename": name, "size": 1, "regions": [
            {"shape_attributes": {"name": "rect", "x": 10, "y": 10, "width": 50, "height": 40}, "region_attributes": {"label": "egg"}},
            {"shape_attributes": {"name": "ellipse", "cx": 50, "cy": 40, "rx": 9, "ry": 5, "theta": 1.0}, "region_attributes": {"label": "양파"}},
        ]} for name in ("a.png", "b.png")
    })),
    "createml": ("_annotations.createml.json", json.dumps([
        {"image": name, "annotations": [{"label": "egg", "coordinates": {"x": 35, "y": 30, "width": 50, "height": 40}}]}
        for name in ("a.png", "b.png")
    ])),
    "csv": ("_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,90,egg,10,10,60,50\nb.png,100,90,양파,20,5,90,80\n"),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(FORMATS))
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A format and a folder in it: two pictures with two objects each."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        pictures = folder / "pictures"
        pictures.mkdir()
        records = []
        for number, name in enumerate(("a.png", "b.png")):
            Image.new("RGB", (100, 90), (number, 0, 0)).save(pictures / name)
            records.append(ImageRecord(pictures / name, name, 100, 90, ".png", TRUTHS))
        write = FORMATS[request.param].write
        if write is not None:
            if request.param == "folders":
                labels = ("egg", "양파")
                records = [replace(r, truths=(whole(n, 100, 90),)) for r, n in zip(records, labels, strict=True)]
            (folder / "source").mkdir()
            write(Dataset(("egg", "양파"), tuple(records)), folder / "source")
        else:
            name, text = READ_ONLY[request.param]
            pictures.rename(folder / "source")
            (folder / "source" / name).write_text(text, encoding="utf-8")
        yield request.param, folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "cache" not in path.relative_to(folder).parts
    }


def test_the_undamaged_source_is_read(source: tuple[str, Path]) -> None:
    format_name, folder = source
    dataset, _ = formats.read(folder / "source", format_name)
    assert (len(dataset.images), set(dataset.names)) == (2, {"egg", "양파"} if format_name != "createml" else {"egg"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_source_is_read_or_refused(source: tuple[str, Path], data: st.DataObject) -> None:
    format_name, folder = source
    before = files(folder)
    damaged = data.draw(st.sampled_from(sorted(name for name in before if name.startswith("source/"))))
    content = bytearray(before[damaged])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        new = data.draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b"nan", b"-1e999", b"[", b"{", b'"', b"\n", b"../../x", b"&a;", b"\0", *YAML]),
            )
        )
        content[at : at + data.draw(st.integers(0, 8))] = new
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    (folder / damaged).write_bytes(content)
    try:
        dataset, report = formats.read(folder / "source", format_name)
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
        assert dataset.images or report.skipped
        for image in dataset.images:
            for truth in image.truths:
                assert 0 <= truth.box.x0 < truth.box.x1 <= image.width
                assert 0 <= truth.box.y0 < truth.box.y1 <= image.height
    finally:
        left = files(folder)
        (folder / damaged).write_bytes(before[damaged])
    assert "\n" not in refused
    assert left == {**before, damaged: bytes(content)}
