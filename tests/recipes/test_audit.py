"""A clean set is silent; every planted fault is found by its kind, on its file, and nothing else raises an alarm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clean_set import CLASSES, LabelledFolder, write_clean_set
from PIL import Image

from yolo_pipeline import auditing
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.nouns import Box, Dataset, Finding, Truth
from yolo_pipeline.recipes.audit import Audit, audit_dataset, audit_source

Plant = Callable[[LabelledFolder], None]
GROUP = "photo_jpg.rf.0123456789abcdef0123"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> LabelledFolder:
    return write_clean_set(tmp_path_factory.mktemp("audited") / "clean")


@pytest.fixture
def folder(clean: LabelledFolder, tmp_path: Path) -> LabelledFolder:
    """A copy of the clean set, to be spoilt."""
    shutil.copytree(clean.root, tmp_path / "set")
    return LabelledFolder(tmp_path / "set")


def audited(folder: LabelledFolder, imgsz: int = 640) -> Audit:
    return audit_source(folder.root, format="labelimg", options=ReadOptions(skip_bad=True), imgsz=imgsz)


def found(audit: Audit, kind: str) -> Finding:
    return next(finding for finding in audit.findings if finding.kind == kind)


def alarms(audit: Audit) -> set[str]:
    return {finding.kind for finding in audit.findings if finding.severity != "note"}


def reshape(name: str, number: int, box: Box | None) -> Plant:
    """Another box for one object, or the object once more where `number` is past the end."""

    def plant(folder: LabelledFolder) -> None:
        truths = folder.truths(name)
        folder.label(name, [*truths[:number], Truth(box or truths[0].box, truths[0].label), *truths[number + 1 :]])

    return plant


def near(name: str, label: str | None = None) -> Plant:
    """A second box, one pixel away from the first."""

    def plant(folder: LabelledFolder) -> None:
        truths = folder.truths(name)
        box = truths[0].box
        second = Truth(Box(box.x0 + 1, box.y0, box.x1 + 1, box.y1), label or truths[0].label)
        folder.label(name, [*truths, second])

    return plant


def edit(name: str, old: str, new: str) -> Plant:
    return lambda folder: folder.edit(name, old, new)


def corner(name: str, key: str, value: Callable[[Box], float]) -> Plant:
    """Another number for one corner of the first object, whatever a writer would refuse."""

    def plant(folder: LabelledFolder) -> None:
        box = folder.truths(name)[0].box
        now = {"xmin": box.x0, "xmax": box.x1, "ymin": box.y0, "ymax": box.y1}[key]
        folder.edit(name, f"<{key}>{now:g}</{key}>", f"<{key}>{value(box):g}</{key}>")

    return plant


def outside(folder: LabelledFolder) -> None:
    box = folder.truths("train/010.jpg")[0].box
    folder.edit("train/010.jpg", f"<xmin>{box.x0:g}<", "<xmin>400<")
    folder.edit("train/010.jpg", f"<xmax>{box.x1:g}<", "<xmax>440<")


def emptied(folder: LabelledFolder) -> None:
    box = folder.truths("train/010.jpg")[0].box
    folder.label("train/010.jpg", [Truth(box, "nut")])
    folder.edit("train/010.jpg", f"<xmax>{box.x1:g}<", f"<xmax>{box.x0:g}<")


def repaint(change: Callable[[np.ndarray], np.ndarray]) -> Plant:
    return lambda folder: folder.repaint("train/010.jpg", change)


def stored(suffix: str, **save: object) -> Plant:
    """One picture stored otherwise; `mode` is Pillow's."""

    def plant(folder: LabelledFolder) -> None:
        picture = folder.picture("train/010.jpg")
        with Image.open(picture) as image:
            turned = image.convert(str(save.pop("mode", "RGB")))
        picture.unlink()
        turned.save(picture.with_suffix(suffix), **save)

    return plant


def turned(folder: LabelledFolder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(folder.picture("train/010.jpg")) as image:
        image.copy().save(folder.picture("train/010.jpg"), exif=exif)


def truncated(folder: LabelledFolder) -> None:
    picture = folder.picture("train/010.jpg")
    picture.write_bytes(picture.read_bytes()[:6000])


def copied(source: str, target: str, *, scaled: bool = False, label: str | None = None) -> Plant:
    """The same picture once more, scaled and saved anew if so, with its labels."""

    def plant(folder: LabelledFolder) -> None:
        truths, pixels = folder.truths(source), folder.pixels(source)
        if scaled:
            pixels = cv2.convertScaleAbs(cv2.resize(pixels, (640, 480)), alpha=0.93, beta=8)
            truths = [Truth(Box(*(2 * v for v in (t.box.x0, t.box.y0, t.box.x1, t.box.y1))), t.label) for t in truths]
            folder.add(target, pixels, truths, quality=70)
            return
        shutil.copyfile(folder.picture(source), folder.picture(target))
        folder.label(target, [Truth(truths[0].box, label or truths[0].label), *truths[1:]])

    return plant


def divided(folder: LabelledFolder) -> None:
    """Two versions of one photo, by their names, in two splits."""
    for name, target in (("train/010.jpg", f"train/{GROUP}a.jpg"), ("val/003.jpg", f"val/{GROUP}b.jpg")):
        folder.picture(name).rename(folder.picture(target))
        folder.picture(name).with_suffix(".xml").rename(folder.picture(target).with_suffix(".xml"))


def rare(number: int) -> Plant:
    """A further class with `number` objects in train, and one in val and test."""
    firsts = {"train": number, "val": 1, "test": 1}
    return lambda folder: folder.relabel(lambda name, n, t: "cog" if n < firsts[name.split("/")[0]] else t.label)


def uneven(folder: LabelledFolder) -> None:
    folder.relabel(lambda name, number, truth: "nut" if number < 50 else "bolt")


def tiny(folder: LabelledFolder) -> None:
    """One object in seven drawn three pixels wide."""
    for split in ("train", "val", "test"):
        for name in folder.names(split):
            if truths := folder.truths(name):
                box = truths[0].box
                folder.label(name, [Truth(Box(box.x0, box.y0, box.x0 + 3, box.y1), truths[0].label), *truths[1:]])


def around(folder: LabelledFolder) -> None:
    """Three objects of one class in a row, and a box around them."""
    inner = [Box(10 + 70 * i, 20, 65 + 70 * i, 75) for i in range(3)]
    folder.label("train/010.jpg", [Truth(box, "nut") for box in [*inner, Box(8, 18, 208, 78), Box(230, 150, 280, 200)]])


def other_shape(width: int, height: int) -> Plant:
    """One picture of another size, its boxes scaled with it."""

    def plant(folder: LabelledFolder) -> None:
        across, down = width / 320, height / 240
        boxes = [
            (t.box.x0 * across, t.box.y0 * down, t.box.x1 * across, t.box.y1 * down)
            for t in folder.truths("train/010.jpg")
        ]
        rounded = [Truth(Box(*(round(v) for v in box)), "nut") for box in boxes]
        folder.add("train/010.jpg", cv2.resize(folder.pixels("train/010.jpg"), (width, height)), rounded, quality=92)

    return plant


def without(split: str, keep: int) -> Plant:
    def plant(folder: LabelledFolder) -> None:
        for name in folder.names(split)[keep:]:
            folder.picture(name).unlink()
            folder.picture(name).with_suffix(".xml").unlink()

    return plant


def unlabelled(folder: LabelledFolder) -> None:
    folder.picture("train/010.jpg").with_suffix(".xml").unlink()


def orphaned(folder: LabelledFolder) -> None:
    folder.picture("train/050.jpg").unlink()


def broken(folder: LabelledFolder) -> None:
    folder.picture("train/010.jpg").write_bytes(b"no picture")


def one_box(folder: LabelledFolder) -> None:
    folder.label("train/010.jpg", folder.truths("train/010.jpg")[:1])


def emptied_by_hand(folder: LabelledFolder) -> None:
    for name in folder.names("train")[4:10]:
        folder.label(name, [])


def labelled_backgrounds(folder: LabelledFolder) -> None:
    for name in folder.names("train")[:4]:
        folder.picture(name).unlink()
        folder.picture(name).with_suffix(".xml").unlink()


P, X = "train/010.jpg", "train/010.xml"

CASES = [
    pytest.param("clipped boxes", "note", X, corner(P, "xmax", lambda b: 330), id="reaches out"),
    pytest.param("swapped corners", "note", X, corner(P, "ymin", lambda b: b.y1 + 20), id="corners swapped"),
    pytest.param("boxes without area", "note", X, corner(P, "xmax", lambda b: b.x0), id="no area"),
    pytest.param("boxes outside", "warning", X, outside, id="outside"),
    pytest.param("duplicate boxes", "note", X, reshape(P, 99, None), id="box and class twice"),
    pytest.param("objects without class", "warning", X, edit(P, "<name>nut</name>", "<name> </name>"), id="no class"),
    pytest.param("untidy class names", "note", X, edit(P, "<name>nut<", "<name> nut <"), id="blanks around a class"),
    pytest.param("difficult objects", "note", X, edit(P, "cult>0<", "cult>1<"), id="difficult"),
    pytest.param("emptied pictures", "warning", P, emptied, id="the only object has no area"),
    pytest.param("wrong picture size", "warning", X, edit(P, "<width>320<", "<width>640<"), id="another size"),
    pytest.param("unlabelled pictures", "warning", P, unlabelled, id="no annotation"),
    pytest.param("annotations without picture", "warning", "train/050.xml", orphaned, id="no picture"),
    pytest.param("unreadable files", "warning", P, broken, id="not a picture"),
    pytest.param("unreadable pictures", "fault", P, truncated, id="truncated"),
    pytest.param("few boxes", "fault", "train/004.jpg", rare(3), id="three boxes"),
    pytest.param("few boxes", "warning", "train/004.jpg", rare(20), id="twenty boxes"),
    pytest.param("class imbalance", "warning", "train/004.jpg", uneven, id="one to ten"),
    pytest.param("class absent from split", "fault", None, lambda f: f.relabel(lambda n, i, t: "nut" if "val" in n and t.label == "bolt" else t.label), id="no bolt in val"),
    pytest.param("class absent from split", "fault", None, lambda f: f.relabel(lambda n, i, t: "cog" if "train" not in n and i < 60 and t.label == "bolt" else t.label), id="no cog in train"),
    pytest.param("similar class names", "warning", P, lambda f: f.relabel(lambda n, i, t: "Nuts" if t.label == "nut" and i % 2 else t.label), id="nut and Nuts"),
    pytest.param("split sizes", "warning", None, without("val", 12), id="twelve pictures in val"),
    pytest.param("split sizes", "warning", None, without("val", 0), id="no val"),
    pytest.param("split sizes", "note", None, without("test", 0), id="no test"),
    pytest.param("split sizes", "warning", None, without("train", 40), id="little training"),
    pytest.param("backgrounds", "warning", "train/005.jpg", emptied_by_hand, id="many backgrounds"),
    pytest.param("backgrounds", "note", None, labelled_backgrounds, id="no background"),
    pytest.param("leakage", "fault", "val/copy.jpg", copied(P, "val/copy.jpg"), id="identical across splits"),
    pytest.param("leakage", "fault", "val/copy.jpg", copied(P, "val/copy.jpg", scaled=True), id="near across splits"),
    pytest.param("divided groups", "fault", f"val/{GROUP}b.jpg", divided, id="versions across splits"),
    pytest.param("copies labelled differently", "warning", "train/copy.jpg", copied(P, "train/copy.jpg", label="washer"), id="another class"),
    pytest.param("identical pictures", "note", "train/copy.jpg", copied(P, "train/copy.jpg"), id="identical in train"),
    pytest.param("near-identical pictures", "note", P, copied(P, "train/copy.jpg", scaled=True), id="near in train"),
    pytest.param("EXIF orientation", "note", P, turned, id="EXIF"),
    pytest.param("tiny boxes", "warning", "val/003.jpg", tiny, id="three pixels wide"),
    pytest.param("slivers", "note", P, reshape(P, 0, Box(5, 100, 315, 110)), id="a sliver"),
    pytest.param("several as one", "warning", P, around, id="a box around three"),
    pytest.param("several as one", "warning", P, reshape(P, 0, Box(20, 20, 240, 220)), id="far larger"),
    pytest.param("two classes", "warning", P, near(P, "bolt"), id="two classes"),
    pytest.param("boxed twice", "note", P, near(P), id="twice"),
    pytest.param("few objects", "warning", P, one_box, id="one box"),
    pytest.param("blank pictures", "warning", P, repaint(lambda pixels: np.full_like(pixels, 128)), id="blank"),
    pytest.param("dark pictures", "warning", P, repaint(lambda pixels: pixels // 8), id="dark"),
    pytest.param("blurred pictures", "warning", P, repaint(lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 9)), id="blurred"),
    pytest.param("mixed grey and colour", "note", P, stored(".jpg", mode="L"), id="grey"),
    pytest.param("unusual pixel formats", "note", "train/010.png", stored(".png", mode="RGBA"), id="alpha"),
    pytest.param("unusual pixel formats", "note", P, stored(".jpg", mode="CMYK"), id="four inks"),
    pytest.param("small pictures", "warning", P, other_shape(40, 30), id="forty pixels"),
    pytest.param("mixed sizes", "note", P, other_shape(2560, 1920), id="eight times as large"),
    pytest.param("stretched pictures", "warning", P, other_shape(1200, 240), id="five to one"),
]  # fmt: skip


def test_a_clean_set_is_silent(clean: LabelledFolder) -> None:
    audit = audited(clean)
    assert len(audit.dataset.images) == 128
    assert audit.findings == ()


@pytest.mark.parametrize(("kind", "severity", "file", "plant"), CASES)
def test_planted(folder: LabelledFolder, kind: str, severity: str, file: str | None, plant: Plant) -> None:
    plant(folder)
    audit = audited(folder)
    finding = found(audit, kind)
    assert finding.severity == severity
    assert file is None or file in finding.files
    assert alarms(audit) - {kind} == set()
    assert finding.remedy


def test_every_kind_of_the_rules_is_planted() -> None:
    sources = Path(auditing.__file__).parent.glob("*.py")
    kinds = {kind for file in sources for kind in re.findall(r'Finding\(\s*"([^"]+)"', file.read_text("utf-8"))}
    elsewhere = {"giant boxes", "enlarged pictures", "no picture size"}  # tests of their own
    assert len(kinds) > 30
    assert kinds - {str(case.values[0]) for case in CASES} == elsewhere


def test_enlarged_pictures(clean: LabelledFolder) -> None:
    finding = found(audited(clean, imgsz=1280), "enlarged pictures")
    assert (finding.severity, finding.figures["wanted_imgsz"]) == ("note", 320)


def test_a_larger_size_is_suggested_for_tiny_boxes(folder: LabelledFolder) -> None:
    tiny(folder)
    finding = found(audited(folder), "tiny boxes")
    assert finding.figures["wanted_imgsz"] == 864  # 3 of 320 pixels are 8 at 853.3, and 32 divides 864
    assert "imgsz 864" in finding.remedy


def test_a_size_of_zero_in_the_xml_is_a_note(folder: LabelledFolder) -> None:
    folder.edit(P, "<width>320<", "<width>0<")
    folder.edit(P, "<height>240<", "<height>0<")
    audit = audited(folder)
    assert [(f.kind, f.severity, f.files) for f in audit.findings] == [("no picture size", "note", (X,))]


def test_a_class_without_boxes(clean: LabelledFolder) -> None:
    audit = audited(clean)
    dataset = replace(audit.dataset, names=(*CLASSES, "cog"))
    findings = audit_dataset(dataset, audit.report, {}).findings
    assert [(f.kind, f.severity, f.figures) for f in findings] == [
        ("class without boxes", "warning", {"classes": ["cog"]})
    ]


def test_boxes_that_stand_for_the_picture(clean: LabelledFolder) -> None:
    audit = audited(clean)
    whole = [
        replace(i, truths=(Truth(Box(0, 0, i.width, i.height), CLASSES[n % 3]),) if i.truths else ())
        for n, i in enumerate(audit.dataset.images)
    ]
    findings = audit_dataset(Dataset(CLASSES, tuple(whole)), audit.report, {}).findings
    giant = next(finding for finding in findings if finding.kind == "giant boxes")
    assert (giant.severity, giant.figures) == ("warning", {"boxes": 124, "share": 1.0})


def test_without_splits_near_copies_are_a_warning(clean: LabelledFolder, tmp_path: Path) -> None:
    for name in clean.names("train"):
        for suffix in (".jpg", ".xml"):
            file = clean.picture(name).with_suffix(suffix)
            (tmp_path / "flat").mkdir(exist_ok=True)
            shutil.copyfile(file, tmp_path / "flat" / file.name)
    flat = LabelledFolder(tmp_path / "flat")
    pixels = cv2.convertScaleAbs(clean.pixels(P), alpha=0.9)
    flat.add("copy.jpg", pixels, clean.truths(P), quality=60)
    audit = audited(flat)
    assert [(f.kind, f.severity, f.files) for f in audit.findings] == [
        ("near-identical pictures", "warning", ("010.jpg", "copy.jpg"))
    ]


def test_edited_versions_of_one_file_are_no_copies(clean: LabelledFolder) -> None:
    audit = audited(clean)
    first = audit.dataset.images[-1]
    twice = audit.dataset.with_images([*audit.dataset.images, replace(first, name="again.jpg")])
    assert audit_dataset(twice, audit.report, {}).findings == ()


def test_the_worst_come_first(folder: LabelledFolder) -> None:
    one_box(folder)
    near("train/011.jpg")(folder)
    truncated(folder)
    copied("train/012.jpg", "val/copy.jpg")(folder)
    order = [(finding.severity, finding.kind) for finding in audited(folder).findings]
    assert order == [
        ("fault", "unreadable pictures"),
        ("fault", "leakage"),
        ("warning", "few objects"),
        ("note", "boxed twice"),
    ]
