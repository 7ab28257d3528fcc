"""The fast parser of LabelImg's layout and the XML parser give one answer, or the fast one gives none."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.formats.voc_xml import BadXml, VocAnnotation, VocObject, parse, parse_any, parse_labelimg
from yolo_pipeline.nouns import Box, Truth

LABELIMG = annotation_xml(
    [Truth(Box(10, 20, 30, 44), "닭고기"), Truth(Box(1, 2, 3, 4.5), "egg")], Path("a/b.jpg"), 64, 48
)


def test_both_parsers_on_what_labelimg_writes() -> None:
    expected = VocAnnotation(
        "b.jpg", 64, 48, [VocObject("닭고기", False, (11, 21, 30, 44)), VocObject("egg", False, (2, 3, 3, 4.5))]
    )
    assert parse_labelimg(LABELIMG.encode()) == expected
    assert parse_any(LABELIMG.encode()) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("<name>egg</name>", "<name>egg &amp; ham</name>", id="a reference"),
        pytest.param("<name>egg</name>", "<name>egg<!-- x --></name>", id="a comment"),
        pytest.param("<name>egg</name>", "<name><![CDATA[egg]]></name>", id="CDATA"),
        pytest.param("<xmin>2</xmin>", "<xmin>2e1</xmin>", id="another notation"),
        pytest.param("<xmin>2</xmin>", "<xmin> 2 </xmin>", id="blanks around a number"),
        pytest.param("<xmin>2</xmin>", "<xmin>nan</xmin>", id="NaN"),
        pytest.param("<difficult>0</difficult>", "", id="no difficult"),
        pytest.param("<annotation>", "<annotation xmlns='x'>", id="a namespace"),
        pytest.param("</annotation>", "</annotation><!-- end -->", id="something behind"),
        pytest.param("<width>64</width>", "<width></width>", id="no width"),
    ],
)
def test_every_other_layout_goes_to_the_xml_parser(before: str, after: str) -> None:
    assert before in LABELIMG
    data = LABELIMG.replace(before, after).encode()
    assert parse_labelimg(data) is None
    if "xmlns" in after:
        with pytest.raises(BadXml, match="its root is"):
            parse(data)
    else:
        assert parse(data) == parse_any(data)


_PIECES = st.sampled_from(
    [
        "<",
        ">",
        "&",
        "&amp;",
        "\x00",
        "\n",
        "\t",
        " ",
        "é",
        "닭",
        "]]>",
        "<!--",
        "1",
        "-",
        ".",
        "e",
        "</name>",
        "<object>",
    ]
)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(LABELIMG)), cut=st.integers(0, 12), insert=st.lists(_PIECES, max_size=3).map("".join))
def test_the_fast_parser_never_says_anything_else(at: int, cut: int, insert: str) -> None:
    """Whatever is put into, or taken out of, a LabelImg file."""
    data = (LABELIMG[:at] + insert + LABELIMG[at + cut :]).encode()
    fast = parse_labelimg(data)
    if fast is not None:
        assert fast == parse_any(data)


def test_real_files_take_the_fast_way() -> None:
    files = sorted((Path(__file__).parents[1] / "data" / "bccd").rglob("*.xml"))
    assert len(files) == 3
    for file in files:
        assert parse_labelimg(file.read_bytes()) == parse_any(file.read_bytes())


def test_all_real_files_read_equal_both_ways() -> None:
    folders = [SHARED / "data" / "bccd_voc", SHARED / "data" / "raccoon_voc"]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("shared/data/bccd_voc and raccoon_voc are not here")
    files = [file for folder in folders for file in sorted(folder.rglob("*.xml"))]
    assert len(files) == 564
    fast = [(parse_labelimg(file.read_bytes()), parse_any(file.read_bytes())) for file in files]
    assert sum(one is not None for one, _ in fast) == 564
    assert all(one == other for one, other in fast)
