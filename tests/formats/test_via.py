"""VIA: every file layout, every shape on literal numbers, which attribute is the class, mending, trust."""

from __future__ import annotations

import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.nouns import Box, Dataset, ReadReport, Truth

DATA = Path(__file__).resolve().parents[1] / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NORMAL = {"name": "rect", "x": 10, "y": 10, "width": 100, "height": 50}
VIA_3_KEYS = ("project", "config", "attribute", "file", "metadata", "view")
NORMAL_BOX = Box(10, 10, 110, 60)


def region(shape: Any = NORMAL, attributes: Any = {"label": "chicken"}) -> dict[str, Any]:  # noqa: B006
    return {"shape_attributes": shape, "region_attributes": attributes}


def image(*regions: Any, filename: str = "a.jpg") -> dict[str, Any]:
    return {"filename": filename, "size": 825, "regions": list(regions), "file_attributes": {}}


def export(*images: dict[str, Any]) -> dict[str, Any]:
    return {f"{entry['filename']}{entry['size']}": entry for entry in images}


def project(*images: dict[str, Any], attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "_via_settings": {"ui": {}, "core": {"buffer_size": 18}, "project": {"name": "teeth"}},
        "_via_img_metadata": export(*images),
        "_via_attributes": {"region": attributes or {}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(export(*images)),
    }


def via_1(*regions: dict[str, Any]) -> dict[str, Any]:
    numbered = {str(number): region for number, region in enumerate(regions)}
    entry = {"fileref": "", "base64_img_data": "", "file_attributes": {}, "regions": numbered}
    return {"a.jpg825": {**entry, "filename": "a.jpg", "size": 825}}


def save_picture(path: Path, size: tuple[int, int] = (200, 100), orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, "teal").save(path, format="JPEG", exif=exif if orientation > 1 else b"")


def save(folder: Path, content: Any, name: str = "via.json", picture: str = "a.jpg") -> Path:
    """A source with a picture of 200x100 and one JSON file."""
    save_picture(folder / picture)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


def read_one(folder: Path, *regions: Any, **options: Any) -> tuple[tuple[Truth, ...], ReadReport]:
    """The truths of a picture of 200x100 with these regions."""
    dataset, report = formats.read(save(folder, project(image(*regions))), "via", ReadOptions(**options))
    (record,) = dataset.images
    return record.truths, report


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


LAYOUTS = [
    pytest.param(project(image(region())), id="2.x project"),
    pytest.param(export(image(region())), id="2.x export"),
    pytest.param(via_1(region()), id="1.x export"),
    pytest.param({"annotation": image(region())}, id="one image below `annotation`"),
    pytest.param(image(region()), id="one image"),
]


@pytest.mark.parametrize("content", LAYOUTS)
def test_every_layout_is_recognised_and_read(tmp_path: Path, content: Any) -> None:
    dataset, report = formats.read(save(tmp_path, content))
    assert [(image.name, image.truths) for image in dataset.images] == [("a.jpg", (Truth(NORMAL_BOX, "chicken"),))]
    assert dataset.names == ("chicken",)
    assert report == ReadReport()


@pytest.mark.parametrize(
    ("shape", "box", "note"),
    [
        pytest.param(NORMAL, NORMAL_BOX, None, id="rect"),
        pytest.param({"name": "circle", "cx": 50, "cy": 40, "r": 30.5}, Box(19.5, 9.5, 80.5, 70.5), "1 circles", id="circle"),
        pytest.param({"name": "ellipse", "cx": 50, "cy": 40, "rx": 30, "ry": 20}, Box(20, 20, 80, 60), "1 ellipses", id="ellipse of 1.x, without theta"),
        pytest.param({"name": "ellipse", "cx": 50, "cy": 40, "rx": 30, "ry": 20, "theta": 0}, Box(20, 20, 80, 60), "1 ellipses", id="ellipse"),
        pytest.param({"name": "ellipse", "cx": 50, "cy": 40, "rx": 30, "ry": 20, "theta": math.pi / 2}, Box(30, 10, 70, 70), "1 ellipses", id="ellipse turned by a quarter"),
        pytest.param({"name": "ellipse", "cx": 100, "cy": 50, "rx": 40, "ry": 30, "theta": math.pi / 6}, Box(100 - 37.749172, 50 - 32.787193, 100 + 37.749172, 50 + 32.787193), "1 ellipses", id="ellipse turned by 30 degrees"),
        pytest.param({"name": "polygon", "all_points_x": [10, 110, 60], "all_points_y": [20, 10, 60]}, NORMAL_BOX, "1 polygons", id="polygon"),
        pytest.param({"name": "polyline", "all_points_x": [10, 110], "all_points_y": [10, 60]}, NORMAL_BOX, "1 polylines", id="polyline"),
    ],
)  # fmt: skip
def test_shapes_become_their_bounding_boxes(tmp_path: Path, shape: Any, box: Box, note: str | None) -> None:
    (truth,), report = read_one(tmp_path, region(shape))
    assert [truth.box.x0, truth.box.y0, truth.box.x1, truth.box.y1] == pytest.approx([box.x0, box.y0, box.x1, box.y1])
    assert report == ReadReport(notes=(f"{note} became their bounding boxes",) if note else ())


@given(rx=st.floats(5, 49), ry=st.floats(5, 49), theta=st.floats(-7, 7))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_box_of_an_ellipse_is_that_of_its_points(tmp_path: Path, rx: float, ry: float, theta: float) -> None:
    shape = {"name": "ellipse", "cx": 100, "cy": 50, "rx": rx, "ry": ry, "theta": theta}
    (truth,), _ = read_one(tmp_path, region(shape))
    around = [2 * math.pi * step / 3600 for step in range(3600)]
    xs = [100 + rx * math.cos(at) * math.cos(theta) - ry * math.sin(at) * math.sin(theta) for at in around]
    ys = [50 + rx * math.cos(at) * math.sin(theta) + ry * math.sin(at) * math.cos(theta) for at in around]
    box = [truth.box.x0, truth.box.y0, truth.box.x1, truth.box.y1]
    assert box == pytest.approx([min(xs), min(ys), max(xs), max(ys)], abs=1e-3)


@pytest.mark.parametrize(
    ("regions", "boxes", "reported"),
    [
        pytest.param([region(dict(NORMAL, x=110, y=60, width=-100, height=-50))], [NORMAL_BOX], [("fixed", 1, "swapped corners")], id="negative size"),
        pytest.param([region(dict(NORMAL, x=150))], [Box(150, 10, 200, 60)], [("fixed", 1, "clipped")], id="reaches out"),
        pytest.param([region(dict(NORMAL, x=300))], [], [("dropped", 1, "outside")], id="outside"),
        pytest.param([region(dict(NORMAL, width=0))], [], [("dropped", 1, "no area")], id="no width"),
        pytest.param([region(), region()], [NORMAL_BOX], [("dropped", 2, "duplicate")], id="duplicate"),
        pytest.param([region(attributes={"label": " chicken\n"})], [NORMAL_BOX], [("fixed", 1, "label")], id="blanks around the label"),
        pytest.param([region({"name": "point", "cx": 5, "cy": 5})], [], [("dropped", 1, "no box")], id="point"),
        pytest.param([region({"name": "star", "x": 5})], [], [("dropped", 1, "no box")], id="unknown shape"),
        pytest.param([region({"name": ["rect"]})], [], [("dropped", 1, "no box")], id="shape name is a list"),
        pytest.param([region([1, 2])], [], [("dropped", 1, "no box")], id="shape is a list"),
        pytest.param([region(dict(NORMAL, x=math.nan))], [], [("dropped", 1, "no box")], id="NaN"),
        pytest.param([region(dict(NORMAL, x=math.inf))], [], [("dropped", 1, "no box")], id="infinite"),
        pytest.param([region(dict(NORMAL, x=1e308, width=1e308))], [], [("dropped", 1, "outside")], id="more than a float holds"),
        pytest.param([region(dict(NORMAL, x=10**400))], [], [("dropped", 1, "no box")], id="huge integer"),
        pytest.param([region(dict(NORMAL, x=None))], [], [("dropped", 1, "no box")], id="no x"),
        pytest.param([region(dict(NORMAL, x="10"))], [NORMAL_BOX], [], id="number as text"),
        pytest.param([region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]})], [], [("dropped", 1, "no box")], id="unequal lists of points"),
        pytest.param([region({"name": "polygon", "all_points_x": [], "all_points_y": []})], [], [("dropped", 1, "no box")], id="no points"),
        pytest.param([region({"name": "polygon", "all_points_x": [1, math.nan], "all_points_y": [1, 2]})], [], [("dropped", 1, "no box")], id="NaN in a polygon"),
        pytest.param([region(), region(attributes={})], [NORMAL_BOX], [("dropped", 2, "no class")], id="no such attribute"),
        pytest.param([region(), region(attributes={"label": ""})], [NORMAL_BOX], [("dropped", 2, "no class")], id="empty label"),
        pytest.param([region(), region(attributes=None)], [NORMAL_BOX], [("dropped", 2, "no class")], id="no attributes"),
        pytest.param([region(), region(attributes={"label": ["egg"]})], [NORMAL_BOX], [("dropped", 2, "no class")], id="label is a list"),
        pytest.param([region(), region(attributes={"label": True})], [NORMAL_BOX], [("dropped", 2, "no class")], id="label is true"),
    ],
)  # fmt: skip
def test_what_is_mended_and_dropped(tmp_path: Path, regions: Any, boxes: list[Box], reported: Any) -> None:
    truths, report = read_one(tmp_path, *regions)
    assert truths == tuple(Truth(box, "chicken") for box in boxes)
    assert changes(report) == [(kind, "a.jpg", number, what) for kind, number, what in reported]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        pytest.param("chicken", "chicken", id="text, dropdown, radio"),
        pytest.param({"chicken": True, "onion": False}, "chicken", id="one checkbox"),
        pytest.param(7, "7", id="integer"),
        pytest.param(7.0, "7", id="float"),
        pytest.param(unicodedata.normalize("NFD", "닭"), "닭", id="decomposed Korean"),
    ],
)
def test_values_of_the_attribute(tmp_path: Path, value: Any, label: str) -> None:
    (truth,), _ = read_one(tmp_path, region(attributes={"label": value}))
    assert truth == Truth(NORMAL_BOX, label)


def test_two_ticked_checkboxes_are_no_class(tmp_path: Path) -> None:
    truths, report = read_one(tmp_path, region(attributes={"label": {"cat": True, "dog": True}}))
    assert truths == ()
    assert [(change.what, change.why) for change in report.dropped] == [("no class", "2 classes at once: 'cat', 'dog'")]


@pytest.mark.parametrize(
    ("attributes", "asked", "label"),
    [
        pytest.param({"어떤 이름": "egg"}, None, "egg", id="the only one"),
        pytest.param({"Class": "egg", "quality": "good"}, None, "egg", id="named Class"),
        pytest.param({"species": "egg", "id": "12"}, None, "egg", id="named species"),
        pytest.param({"kind": "egg", "comment": ""}, None, "egg", id="the only one with a value"),
        pytest.param({"label": "egg", "type": "fried"}, "type", "fried", id="asked for"),
    ],
)
def test_which_attribute_is_the_class(
    tmp_path: Path, attributes: dict[str, str], asked: str | None, label: str
) -> None:
    truths, _ = read_one(tmp_path, region(attributes=attributes), label_key=asked)
    assert truths == (Truth(NORMAL_BOX, label),)


@pytest.mark.parametrize(
    ("attributes", "asked", "message"),
    [
        pytest.param({"label": "egg", "type": "fried"}, None, r"may be any of the attributes label, type\. .*--label-key KEY, or label_key: KEY in data\.yaml", id="two usual names"),
        pytest.param({"colour": "red", "shape": "round"}, None, r"may be any of the attributes colour, shape\.", id="no usual name"),
        pytest.param({"label": "egg"}, "klass", r"via\.json: no region has the attribute 'klass'; there is label\.", id="asked for what is not there"),
        pytest.param({}, "klass", r"no region has the attribute 'klass'; there is none at all", id="asked, but there is none"),
        pytest.param({}, None, r"no region has an attribute that could be its class", id="no attribute at all"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_not_clear(
    tmp_path: Path, attributes: dict[str, str], asked: str | None, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_one(tmp_path, region(attributes=attributes), label_key=asked)


def test_the_attribute_is_one_for_all_files(tmp_path: Path) -> None:
    save(tmp_path, {"annotation": image(region(attributes={"label": "egg"}))}, "a.json", "a.jpg")
    save(tmp_path, {"annotation": image(region(attributes={"type": "x"}), filename="b.jpg")}, "b.json", "b.jpg")
    with pytest.raises(AnnotationError, match="label, type"):
        formats.read(tmp_path)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param({"onion": "", "chicken": "", "egg": ""}, ("onion", "chicken", "egg"), id="the options' order"),
        pytest.param({"onion": ""}, ("chicken", "onion"), id="an option is missing: sorted"),
        pytest.param(None, ("chicken", "onion"), id="no options: sorted"),
        pytest.param(["onion", "chicken"], ("chicken", "onion"), id="options are a list: sorted"),
    ],
)
def test_order_of_classes(tmp_path: Path, options: Any, names: tuple[str, ...]) -> None:
    regions = [region(), region(dict(NORMAL, x=0), {"label": "onion"})]
    attributes = {"label": {"type": "dropdown", "options": options}}
    dataset, _ = formats.read(save(tmp_path, project(image(*regions), attributes=attributes)))
    assert dataset.names == names


def test_a_listed_picture_without_regions_is_background_an_unlisted_one_is_unlabelled(tmp_path: Path) -> None:
    save_picture(tmp_path / "b.jpg")
    save_picture(tmp_path / "c.jpg")
    save(tmp_path, project(image(region()), image(filename="b.jpg")))
    dataset, report = formats.read(tmp_path)
    assert [(image.name, image.is_background) for image in dataset.images] == [("a.jpg", False), ("b.jpg", True)]
    assert [skip.file for skip in report.skipped] == ["c.jpg"]
    dataset, report = formats.read(tmp_path, "via", ReadOptions(unlabelled="background"))
    assert [image.name for image in dataset.images] == ["a.jpg", "b.jpg", "c.jpg"]
    assert report.skipped == ()


def test_one_json_an_image_without_regions_is_background(tmp_path: Path) -> None:
    dataset, _ = formats.read(save(tmp_path, {"annotation": {"filename": "a.jpg", "size": 825}}))
    assert [(image.name, image.is_background) for image in dataset.images] == [("a.jpg", True)]


def test_backgrounds_only_have_no_class_to_ask_for(tmp_path: Path) -> None:
    dataset, _ = formats.read(save(tmp_path, project(image())))
    assert (dataset.names, len(dataset.images), dataset.boxes) == ((), 1, 0)


@pytest.mark.parametrize(
    ("filename", "file"),
    [
        pytest.param("사진.jpg", "x.json", id="the name inside"),
        pytest.param("C:\\teeth\\사진.jpg", "x.json", id="a path of another disk"),
        pytest.param("https://example.org/a/사진.jpg", "x.json", id="a URL"),
        pytest.param("사진.png", "x.json", id="another suffix"),
        pytest.param("", "사진.json", id="no name: the file's own"),
        pytest.param(None, "사진.json", id="null: the file's own"),
        pytest.param("other.jpg", "사진.json", id="a name that is not there: the file's own"),
        pytest.param("../../사진", "사진.jpg.json", id="leads outside"),
        pytest.param("other.jpg", "사진.jpg.json", id="named picture.jpg.json"),
    ],
)
def test_one_json_an_image_finds_its_picture(tmp_path: Path, filename: Any, file: str) -> None:
    content = {"annotation": {**image(region()), "filename": filename}}
    dataset, report = formats.read(save(tmp_path, content, file, "사진.jpg"))
    assert [(image.name, len(image.truths)) for image in dataset.images] == [("사진.jpg", 1)]
    assert report == ReadReport()


def test_an_export_finds_a_nameless_picture_by_its_key(tmp_path: Path) -> None:
    content = {"a.jpg825": {**image(region()), "filename": ""}}
    dataset, _ = formats.read(save(tmp_path, content), "via")
    assert dataset.boxes == 1


def test_a_picture_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    save(tmp_path, project(image(region()), image(region(), filename="gone\nforged.jpg")))
    _, report = formats.read(tmp_path)
    assert [(skip.file, skip.why) for skip in report.skipped] == [
        ("gone forged.jpg", "annotated in via.json, but there is no such picture")
    ]


def test_pictures_elsewhere_and_splits_by_folder(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        save_picture(tmp_path / "pictures" / split / "a.jpg")
        content = {"annotation": image(region(attributes={"label": split}))}
        (tmp_path / "via" / split).mkdir(parents=True)
        (tmp_path / "via" / split / "a.json").write_text(json.dumps(content))
    dataset, report = formats.read(tmp_path / "via", "auto", ReadOptions(images=tmp_path / "pictures"))
    assert [(image.name, image.split, image.truths[0].label) for image in dataset.images] == [
        ("train/a.jpg", "train", "train"),
        ("valid/a.jpg", "val", "valid"),
    ]
    assert report == ReadReport()


def test_a_project_and_its_export_count_once(tmp_path: Path) -> None:
    save(tmp_path, project(image(region())), "project.json")
    dataset, report = formats.read(save(tmp_path, export(image(region())), "export.json"))
    assert dataset.boxes == 1
    assert report.notes == ("1 pictures are annotated alike in export.json and project.json: taken once",)


def test_boxes_lie_on_the_upright_picture(tmp_path: Path) -> None:
    save(tmp_path, project(image(region(dict(NORMAL, x=10, y=90, width=50, height=100)))))
    save_picture(tmp_path / "a.jpg", orientation=6)
    dataset, report = formats.read(tmp_path)
    (record,) = dataset.images
    assert (record.width, record.height, record.truths[0].box) == (100, 200, Box(10, 90, 60, 190))
    assert report == ReadReport()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"_via_img_metadata": {"a": {"filename"', r"via\.json: not a whole JSON file", id="cut off"),
        pytest.param("[" * 100_000, r"via\.json: (it is nested too deep|not a whole JSON file)", id="deep nesting"),
        pytest.param('{"_via_img_metadata": {"a": 5}}', r"via\.json: 'a': is no description of a picture", id="image is a number"),
        pytest.param('{"_via_img_metadata": {"a": {"filename": "a.jpg", "regions": "x"}}}', r"via\.json: 'a\.jpg': its regions are no list", id="regions are a text"),
        pytest.param('{"_via_img_metadata": {"a": {"filename": "a.jpg", "regions": [5]}}}', r"via\.json: 'a\.jpg': its regions are no list", id="region is a number"),
        pytest.param('{"_via_img_metadata": []}', "no annotation has its picture", id="metadata is a list"),
        pytest.param('{"a": 1}', "holds no VIA file", id="other JSON"),
        pytest.param('{"project": {}, "config": {}, "attribute": {}, "file": {}, "metadata": {}, "view": {}}', "is a VIA 3 project, which is not read; export it as COCO from VIA 3", id="VIA 3"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    save_picture(tmp_path / "a.jpg")
    (tmp_path / "via.json").write_text(text)
    with pytest.raises(AnnotationError, match=message):
        formats.read(tmp_path, "via")


def test_via_3_is_recognised_so_that_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="export it as COCO from VIA 3"):
        formats.read(save(tmp_path, {key: {} for key in VIA_3_KEYS}))


def test_every_bad_file_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    save(tmp_path, project(image(region())), "good.json")
    for name in ("bad 1.json", "bad 2.json"):
        (tmp_path / name).write_text("{")
    with pytest.raises(AnnotationError, match=r"2 files cannot be read: bad 1\.json.*bad 2\.json"):
        formats.read(tmp_path, "via")
    dataset, report = formats.read(tmp_path, "via", ReadOptions(skip_bad=True))
    assert dataset.boxes == 1
    assert [skip.file for skip in report.skipped] == ["bad 1.json", "bad 2.json"]


def test_other_json_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    _, report = formats.read(save(tmp_path, project(image(region()))))
    assert report.notes == ("package.json is no VIA file: passed over",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["rect", "a.jpg", "label", "", "\ud800", "polygon"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["label", "name", "x", "0", "\n"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(path=st.lists(st.integers(0, 3), max_size=6), value=JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere_is_read_or_refused(tmp_path: Path, path: list[int], value: Any) -> None:
    content = project(image(region(), region({"name": "polygon", "all_points_x": [1, 9], "all_points_y": [1, 9]})))
    _replace(content, [1, *path], value)
    _reads_or_refuses(tmp_path, json.dumps(content).encode())


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_broken_byte_is_read_or_refused(tmp_path: Path, at: int, byte: int, cut: bool) -> None:
    whole = json.dumps(project(image(region(), region(dict(NORMAL, x=3))))).encode()
    at %= len(whole)
    _reads_or_refuses(tmp_path, whole[:at] if cut else whole[:at] + bytes([byte]) + whole[at + 1 :])


def _replace(content: Any, path: list[int], value: Any) -> None:
    """Puts `value` at the end of a path of positions through dicts and lists, or as deep as it goes."""
    for depth, at in enumerate(path, start=1):
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        key = keys[at % len(keys)]
        if depth == len(path) or not isinstance(content[key], (dict, list)) or not content[key]:
            content[key] = value
            return
        content = content[key]


def _reads_or_refuses(folder: Path, content: bytes) -> None:
    save_picture(folder / "a.jpg")
    (folder / "via.json").write_bytes(content)
    try:
        dataset, _ = formats.read(folder, "via")
    except InputError:
        return
    assert isinstance(dataset, Dataset)
    for record in dataset.images:
        for truth in record.truths:
            assert 0 <= truth.box.x0 < truth.box.x1 <= 200
            assert 0 <= truth.box.y0 < truth.box.y1 <= 100
            assert truth.label in dataset.names


def test_three_cavity_pictures() -> None:
    folder = DATA / "cavity_via"
    dataset, report = formats.read(folder / "annotations", "auto", ReadOptions(images=folder / "images"))
    assert [(Path(image.name).name[:16], image.split, len(image.truths)) for image in dataset.images] == [
        ("unhealthy_teeth_", "train", 15),
        ("unhealthy_teeth_", "train", 4),
        ("healthy_teeth_34", "val", 8),
    ]
    assert dataset.names == ("caries", "normal")
    assert dataset.images[0].truths[0] == Truth(Box(3, 35, 9, 50), "normal")
    assert dataset.images[0].group == "unhealthy_teeth_114_jpg"
    assert report == ReadReport()


def test_cavity() -> None:
    if not (SHARED / "cavity_via").is_dir():
        pytest.skip(f"{SHARED / 'cavity_via'} is not here")
    dataset, report = formats.read(SHARED / "cavity_via", "auto", ReadOptions(images=SHARED / "cavity_coco"))
    assert [len(dataset.of(split)) for split in ("train", "val", "test")] == [336, 81, 1]
    assert len(dataset.images) == 418
    assert [change.what for change in report.dropped] == ["no area"] * 2
    assert dataset.boxes + len(report.dropped) == 5030
    assert dataset.names == ("caries", "normal")
    assert (report.skipped, report.notes) == ((), ())
