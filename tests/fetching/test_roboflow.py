"""Fetching from Roboflow and uploading to it, with the real SDK against a server on loopback.

Every test ends with a search for the key: in all files that it left, in what it printed and in what was logged.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image

if importlib.util.find_spec("roboflow") is None:  # not importorskip: the SDK takes its server on import
    pytest.skip("needs the roboflow package: pip install -e '.[roboflow]'", allow_module_level=True)

from roboflow_server import KEY, Roboflow, serve

from yolo_pipeline import formats
from yolo_pipeline.cli import run
from yolo_pipeline.errors import DataError, InputError, UsageError
from yolo_pipeline.fetching import roboflow, roboflow_sdk, roboflow_upload
from yolo_pipeline.fetching.roboflow_sdk import KEY_VARIABLE
from yolo_pipeline.fetching.roboflow_upload import UploadReport, upload
from yolo_pipeline.formats.roboflow import facts
from yolo_pipeline.formats.source import list_files
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Skip, Truth
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.fetch import fetch_roboflow, upload_roboflow

T = TypeVar("T")

VERSION = "kitchen/fridge/2"
README = """
fridge - v2 first
==============================

This dataset was exported via roboflow.com on April 5, 2026 at 1:11 PM GMT

The dataset includes 2 images.
"""


def picture_bytes(colour: str = "red", size: tuple[int, int] = (200, 100), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def zipped(**more: bytes) -> bytes:
    """A YOLO export of two pictures; `more` are further entries, by name."""
    entries = {
        "data.yaml": b"train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['egg']\n",
        "README.roboflow.txt": README.encode(),
        "train/images/a.png": picture_bytes("red"),
        "train/labels/a.txt": b"0 0.5 0.5 0.2 0.4\n",
        "valid/images/b.png": picture_bytes("blue"),
        "valid/labels/b.txt": b"",
        **more,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def running() -> Iterator[Roboflow]:
    """The server; the SDK takes its address from the environment when it is imported first."""
    state = Roboflow()
    server = serve(state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_URL", state.url)
        from roboflow.adapters import rfapi

        assert state.url == rfapi.API_URL, "roboflow was imported before, with another server"
        yield state
    server.shutdown()


@pytest.fixture
def server(running: Roboflow, monkeypatch: pytest.MonkeyPatch) -> Roboflow:
    """The server as if new, with an archive; the key is in the environment."""
    vars(running).update(vars(Roboflow(url=running.url, archive=zipped())))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setattr(roboflow, "_POLL_S", 0.01)
    return running


@pytest.fixture(autouse=True)
def key_is_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    printed = capfd.readouterr()
    assert KEY not in printed.out + printed.err + caplog.text
    assert files_with_the_key(tmp_path) == []


def files_with_the_key(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def refused(tmp_path: Path, reference: str = VERSION, **options: str) -> InputError:
    """The error that fetching ends with, after which nothing is left."""
    with pytest.raises(InputError) as caught:
        fetch_roboflow(tmp_path, reference, **options)
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name.startswith(".")] == []
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    return caught.value


def test_the_whole_way(server: Roboflow, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = fetch_roboflow(tmp_path, VERSION)
    assert folder == tmp_path / "datasets" / "raw" / "fridge-v2"
    assert sorted(path.name for path in folder.iterdir()) == ["README.roboflow.txt", "data.yaml", "train", "valid"]
    assert [path.name for path in folder.parent.iterdir()] == ["fridge-v2"]
    dataset, _ = formats.read(folder)
    assert dataset.names == ("egg",)
    assert [(image.name, image.split, image.truths) for image in dataset.images] == [
        ("train/images/a.png", "train", (Truth(Box(80, 30, 120, 70), "egg"),)),
        ("valid/images/b.png", "val", ()),
    ]
    assert {fact.key: fact.value for fact in facts(list_files(folder), "fridge")} == {
        "project": "fridge",
        "version": "2",
        "exported": "April 5, 2026 at 1:11 PM GMT",
        "images": "2",
    }
    assert capfd.readouterr() == ("", "")


def test_the_address_of_the_page_and_another_folder(server: Roboflow, tmp_path: Path) -> None:
    page = "https://universe.roboflow.com/kitchen/fridge/dataset/2"
    assert fetch_roboflow(tmp_path, page, tmp_path / "냉장고") == tmp_path / "냉장고"
    assert (tmp_path / "냉장고" / "data.yaml").is_file()


def test_waits_for_what_is_still_being_made(server: Roboflow, tmp_path: Path) -> None:
    server.generating, server.exporting = 2, 3
    assert (fetch_roboflow(tmp_path, VERSION, export="coco") / "data.yaml").is_file()
    assert server.asked.count("GET /kitchen/fridge/2") == 3
    assert server.asked.count("GET /kitchen/fridge/2/coco") == 4


def test_an_export_that_does_not_end(server: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roboflow, "_PATIENCE_S", 0.0)
    server.exporting = 10**9
    assert "Roboflow exports yolov8, and is not done after" in str(refused(tmp_path))


def test_a_folder_in_the_way_is_left_alone(server: Roboflow, tmp_path: Path) -> None:
    mine = tmp_path / "datasets" / "raw" / "fridge-v2" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(DataError, match="is there and not empty"):
        fetch_roboflow(tmp_path, VERSION)
    assert (mine.read_text(), server.asked) == ("mine", [])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        pytest.param("", "ROBOFLOW_API_KEY: is not set in the environment", id="missing"),
        pytest.param("  ", "ROBOFLOW_API_KEY: is not set in the environment", id="blank"),
        pytest.param("two words", "ROBOFLOW_API_KEY: is no key", id="no key"),
        pytest.param("x&overwrite=true", "ROBOFLOW_API_KEY: is no key", id="would change the address"),
        pytest.param("Wrong123456789", "kitchen/fridge/2: Roboflow refuses the key (401: This API key", id="wrong"),
    ],
)
def test_keys(server: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, reason: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    error = refused(tmp_path)
    assert str(error).startswith(reason)
    assert "app.roboflow.com, Settings, API Keys" in error.remedy
    assert not key.strip() or key not in str(error)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        pytest.param("kitchen/fridge", "is no version of a Roboflow project", id="no version"),
        pytest.param("kitchen/../2", "is no version of a Roboflow project", id="a path"),
        pytest.param("kitchen/fridge/2?a=b", "is no version of a Roboflow project", id="a query"),
        pytest.param("kitchen/fridge/٢", "is no version of a Roboflow project", id="digits of another script"),
        pytest.param("kitchen/fridge/9", "the project has no version 9: there are 1, 2, 10", id="no such version"),
        pytest.param("kitchen/oven/1", "Roboflow has no such thing, or does not show it", id="no such project"),
    ],
)
def test_references(server: Roboflow, tmp_path: Path, reference: str, reason: str) -> None:
    assert refused(tmp_path, reference).reason.startswith(reason)


def test_formats_of_roboflow(server: Roboflow, tmp_path: Path) -> None:
    assert "is no format of Roboflow's" in str(refused(tmp_path, export="../2"))
    assert "does not exist" in str(refused(tmp_path, export="yolov99"))


@pytest.mark.parametrize(
    ("path", "status", "said", "reason"),
    [
        pytest.param("/fridge", 429, {"error": "slow down"}, "Roboflow was asked too often (slow down)", id="429"),
        pytest.param("/fridge", 503, b"<html>down</html>", "Roboflow fails (503: <html>down</html>)", id="503"),
        pytest.param("/fridge", 500, b"x" * 10**6, "Roboflow fails (500: xxx", id="a long page"),
        pytest.param(
            "/fridge", 500, b"a\nerror: forged\x1b[2J", "Roboflow fails (500: a error: forged [2J)", id="lines"
        ),
        pytest.param("/fridge", 403, {"error": KEY}, "Roboflow refuses the key (403: …)", id="the key sent back"),
        pytest.param("/fridge", 200, b"hello", "Roboflow answers with an error (", id="no JSON"),
        pytest.param("/fridge", 200, [], "Roboflow answers without a list of versions", id="a list"),
        pytest.param("/fridge", 200, {"versions": [7, {"id": None}]}, "the project has no version 2", id="wrong types"),
        pytest.param("/fridge", 200, b"[" * 10**5, "Roboflow answers with an error (", id="deep nesting"),
        pytest.param(
            "/fridge/2", 500, {"error": {"message": "sorry", "status": 500}}, "Roboflow fails (500: sorry)", id="later"
        ),
        pytest.param("/yolov8", 200, {}, "Roboflow gives no link for yolov8", id="no link"),
        pytest.param("/yolov8", 200, {"export": {"link": "file:///etc/passwd"}}, "Roboflow gives no link", id="a file"),
        pytest.param("/yolov8", 200, {"ready": None}, "Roboflow gives no link for yolov8", id="neither ready nor not"),
        pytest.param("/4.zip", 403, b"expired", "the archive is not given out (403)", id="an old link"),
    ],
)
def test_what_the_server_may_answer(
    server: Roboflow, tmp_path: Path, path: str, status: int, said: object, reason: str
) -> None:
    server.instead[path] = (status, said)
    error = refused(tmp_path)
    assert error.reason.startswith(reason)
    assert len(str(error)) < 500


@pytest.mark.parametrize("progress", [float("nan"), float("inf"), -1, 10**400, "half", None])
def test_a_progress_that_is_none(
    server: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: object
) -> None:
    monkeypatch.setattr(roboflow, "_PATIENCE_S", 0.05)
    server.instead["/fridge/2"] = (200, {"version": {"generating": True, "progress": progress}})
    assert "Roboflow generates the version, and is not done" in str(refused(tmp_path))


def test_half_an_archive(server: Roboflow, tmp_path: Path) -> None:
    server.sent = len(server.archive) // 2
    assert "is not reached or breaks off" in str(refused(tmp_path))


def test_an_archive_over_the_limit(server: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roboflow, "MAX_BYTES", 100)
    assert "the archive is over 100 bytes" in str(refused(tmp_path))


@pytest.mark.parametrize(
    ("archive", "text"),
    [
        pytest.param(
            zipped(**{"../../evil.txt": b"x"}),
            "kitchen/fridge/2: ../../evil.txt: in Roboflow's archive: leads out",
            id="zip slip",
        ),
        pytest.param(
            zipped(**{"/etc/evil": b"x"}),
            "kitchen/fridge/2: /etc/evil: in Roboflow's archive: is an absolute",
            id="absolute",
        ),
        pytest.param(
            zipped()[:-30], "kitchen/fridge/2: in Roboflow's archive: is not a whole zip archive", id="cut off"
        ),
        pytest.param(b"<html>", "kitchen/fridge/2: in Roboflow's archive: is not a whole zip archive", id="a page"),
        pytest.param(b"PK\x05\x06" + bytes(18), "kitchen/fridge/2: Roboflow's archive holds nothing", id="empty"),
    ],
)
def test_hostile_archives_leave_nothing(server: Roboflow, tmp_path: Path, archive: bytes, text: str) -> None:
    server.archive = archive
    error = refused(tmp_path)
    assert str(error).startswith(text)
    assert str(tmp_path) not in str(error)
    assert not (tmp_path.parent / "evil.txt").exists()


def test_a_link_to_a_server_that_is_down(server: Roboflow, tmp_path: Path) -> None:
    server.link = f"http://127.0.0.1:9/a.zip?key={KEY}"
    assert "is not reached or breaks off (" in str(refused(tmp_path))


@pytest.mark.parametrize("path", ["/fridge", "/fridge/2", "/yolov8", "/4.zip"])
def test_a_connection_that_breaks_off(server: Roboflow, tmp_path: Path, path: str) -> None:
    server.instead[path] = (0, b"")
    assert refused(tmp_path).reason.startswith("127.0.0.1 is not reached or breaks off (")


def test_a_server_that_does_not_answer(server: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roboflow_sdk, "_ANSWER_S", 0.05)
    server.slow_s = 0.5
    assert "127.0.0.1 is not reached or breaks off (no answer in 0.05 seconds)" in str(refused(tmp_path))


def test_a_link_that_is_not_encrypted() -> None:
    with pytest.raises(InputError, match="is not encrypted"):
        roboflow.require_encrypted(VERSION, "http://archives/4.zip", "https://api")
    roboflow.require_encrypted(VERSION, "https://archives/4.zip", "https://api")


def test_an_interrupted_download_leaves_nothing(server: Roboflow, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fetch_roboflow(tmp_path, VERSION, progress=Impatient("downloading"))
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name.startswith(".")] == []


class Listening(Silent):
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


class Impatient(Listening):
    """A progress that is interrupted: by the third item, or when a step of that name says how far it is."""

    def __init__(self, step: str = "") -> None:
        super().__init__()
        self.step = step

    def items(self, items: Sequence[T], what: str) -> Iterator[T]:
        yield from items[:2]
        raise KeyboardInterrupt

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if what == self.step:
            raise KeyboardInterrupt


FETCH = """
import logging, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG)
from yolo_pipeline.errors import PipelineError
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.fetch import fetch_roboflow
try:
    print(fetch_roboflow(Path(), "kitchen/fridge/2").as_posix())
except PipelineError as error:
    sys.exit(f"error: {error}")
"""


def in_a_new_process(tmp_path: Path, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Fetches with every logger at DEBUG and a home of its own, below `tmp_path`."""
    home, here = tmp_path / "home", tmp_path / "project"
    home.mkdir(exist_ok=True)
    here.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(roboflow.__file__).parents[2]), *sys.path])
    variables = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    variables |= {"PYTHONPATH": path, "API_URL": url, KEY_VARIABLE: KEY, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(
        [sys.executable, "-c", FETCH], cwd=here, env=variables, capture_output=True, text=True, timeout=120
    )


def test_no_file_and_no_output_of_a_whole_process_holds_the_key(server: Roboflow, tmp_path: Path) -> None:
    ended = in_a_new_process(tmp_path, server.url)
    assert (ended.returncode, ended.stdout) == (0, "datasets/raw/fridge-v2\n")
    assert KEY not in ended.stderr
    assert (tmp_path / "project" / "datasets" / "raw" / "fridge-v2" / "data.yaml").is_file()
    assert files_with_the_key(tmp_path) == []
    assert not (tmp_path / "home" / ".config" / "roboflow").exists()


def test_a_server_that_is_down(server: Roboflow, tmp_path: Path) -> None:
    ended = in_a_new_process(tmp_path, "http://127.0.0.1:9")
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("error: kitchen/fridge/2: 127.0.0.1 is not reached or breaks off (")
    assert KEY not in ended.stderr + ended.stdout
    assert list((tmp_path / "project").iterdir()) == []


def test_a_broken_configuration_file_of_the_sdk(server: Roboflow, tmp_path: Path) -> None:
    broken = tmp_path / "config.json"
    broken.write_text("{")
    ended = in_a_new_process(tmp_path, server.url, ROBOFLOW_CONFIG_DIR=str(broken))
    assert ended.stderr.splitlines()[-1].startswith("error: roboflow: the package does not start (JSONDecodeError")


def test_without_the_package(server: Roboflow, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "roboflow"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('No module named roboflow')")
    script = f"import sys; sys.path.insert(0, {str(hidden.parent)!r})\n{FETCH}"
    path = os.pathsep.join(sys.path)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    wanted = 'error: roboflow: the package is missing or not whole (No module named roboflow). python -m pip install -e ".[roboflow]"'
    assert ended.stderr.splitlines()[-1] == wanted


def test_the_sdk_leaves_the_process_as_it_was(server: Roboflow, tmp_path: Path) -> None:
    """It would take over a .env around its folder, and show warnings of all packages in its own way."""
    package = importlib.util.find_spec("roboflow")
    assert package is not None
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "roboflow").symlink_to(Path(str(package.origin)).parent, target_is_directory=True)
    (tmp_path / ".env").write_text("TAKEN_OVER=yes\n")
    script = f"""
import os, sys, warnings
sys.path.insert(0, {str(tmp_path / "site")!r})
from yolo_pipeline.fetching.roboflow_sdk import open_sdk
before = dict(os.environ), warnings.formatwarning
sdk = open_sdk()
print(sdk.roboflow.__file__.startswith(sys.path[0]), before == (dict(os.environ), warnings.formatwarning), sdk)
"""
    path = os.pathsep.join([str(Path(roboflow.__file__).parents[2]), *sys.path])
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert (ended.stdout, ended.stderr) == ("True True Sdk()\n", "")


# Uploading


def record(folder: Path, name: str, colour: str, truths: tuple[Truth, ...] = (), **more: object) -> ImageRecord:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(picture_bytes(colour))
    return ImageRecord(file, name, 200, 100, ".png", truths, **more)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two labelled pictures and a background."""
    eggs = (Truth(Box(10.5, 20, 30, 60), "egg"), Truth(Box(0, 0, 200, 100), "계란"))
    return Dataset(
        ("계란", "egg"),
        (
            record(tmp_path, "train/a.png", "red", eggs, split="train"),
            record(tmp_path, "valid/양파 1.png", "blue", (Truth(Box(1, 2, 3, 4), "egg"),), split="val"),
            record(tmp_path, "c.png", "green"),
        ),
    )


def test_pictures_arrive_with_their_boxes(server: Roboflow, dataset: Dataset) -> None:
    report = upload("kitchen/fridge", dataset, batch="second look & more")
    assert report == UploadReport(uploaded=("train/a.png", "valid/양파 1.png", "c.png"), boxes=3)
    assert [(got.name, got.split, got.content) for got in server.received] == [
        ("a.png", "train", picture_bytes("red")),
        ("양파 1.png", "valid", picture_bytes("blue")),
        ("c.png", "train", picture_bytes("green")),
    ]
    first = server.received[0]
    assert first.annotation is not None
    assert first.annotation["categories"] == [
        {"id": 1, "name": "계란", "supercategory": "none"},
        {"id": 2, "name": "egg", "supercategory": "none"},
    ]
    assert first.annotation["images"] == [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}]
    assert [(entry["category_id"], entry["bbox"], entry["area"]) for entry in first.annotation["annotations"]] == [
        (2, [10.5, 20, 19.5, 40], 780.0),
        (1, [0, 0, 200, 100], 20000),
    ]
    assert (first.batch, first.asked["jobName"]) == ("second look & more", "second look & more")
    assert first.asked["name"] == "annotation.coco.json"
    assert not {"overwrite", "prediction"} & first.asked.keys()
    background = server.received[2].annotation
    assert background is not None
    assert {entry["image_id"] for entry in background["annotations"]} == {999999999}


def test_what_was_uploaded_is_read_back_equal(server: Roboflow, dataset: Dataset, tmp_path: Path) -> None:
    upload("kitchen/fridge", dataset)
    for got, image in zip(server.received, dataset.images, strict=True):
        assert got.annotation is not None
        names = {entry["id"]: entry["name"] for entry in got.annotation["categories"]}
        boxes = [
            Truth(Box(x, y, x + width, y + height), names[entry["category_id"]])
            for entry in got.annotation["annotations"]
            if "bbox" in entry
            for x, y, width, height in [entry["bbox"]]
        ]
        assert tuple(boxes) == image.truths


def test_predictions_and_replaced_labels_are_marked(server: Roboflow, dataset: Dataset) -> None:
    server.there = {picture_bytes("red"): True}
    report = upload("kitchen/fridge", dataset, replace=True, predictions=True)
    assert (report.duplicates, len(report.uploaded), report.boxes) == (("train/a.png",), 2, 3)
    assert server.received[0].asked["overwrite"] == server.received[0].asked["prediction"] == "true"


def test_pictures_that_are_there_already(server: Roboflow, dataset: Dataset) -> None:
    server.there = {picture_bytes("red"): True, picture_bytes("blue"): False}
    report = upload("kitchen/fridge", dataset)
    assert report == UploadReport(uploaded=("c.png",), duplicates=("valid/양파 1.png",), kept=("train/a.png",), boxes=1)
    assert (
        str(report)
        == "1 uploaded, 1 were there and got these labels, 1 were there and kept their own, 0 failed; 1 boxes"
    )


def test_one_bad_picture_does_not_end_the_others(server: Roboflow, dataset: Dataset) -> None:
    dataset.images[0].file.unlink()
    server.instead["/annotate/id1"] = (400, {"error": {"message": f"bad boxes {KEY}"}})
    report = upload("kitchen/fridge", dataset)
    assert report.uploaded == ("c.png",)
    assert report.failed == (
        Skip("train/a.png", "its file cannot be read (No such file or directory)"),
        Skip(
            "valid/양파 1.png", "the picture is there, its boxes are not: Roboflow answers with an error (bad boxes …)"
        ),
    )


def test_a_picture_that_roboflow_refuses(server: Roboflow, dataset: Dataset) -> None:
    server.instead["/upload"] = (400, {"message": {"a": 1}})
    report = upload("kitchen/fridge", dataset)
    assert (report.uploaded, report.boxes, server.received) == ((), 0, [])
    assert [skip.file for skip in report.failed] == ["train/a.png", "valid/양파 1.png", "c.png"]


def test_a_key_that_is_revoked_on_the_way_ends_it(server: Roboflow, dataset: Dataset) -> None:
    server.instead["/annotate/id2"] = (401, {"error": {"message": "revoked"}})
    report = upload("kitchen/fridge", dataset)
    assert report.uploaded == ("train/a.png",)
    assert report.failed == (
        Skip("valid/양파 1.png", "the picture is there, its boxes are not: Roboflow refuses the key (401: revoked)"),
        Skip("c.png", "not tried: Roboflow refuses the key (401: revoked)"),
    )
    assert len(server.received) == 2


def test_an_interruption_says_how_far_it_came(server: Roboflow, dataset: Dataset) -> None:
    impatient = Impatient()
    with pytest.raises(KeyboardInterrupt):
        upload("kitchen/fridge", dataset, progress=impatient)
    assert len(impatient.said) == 1
    assert impatient.said[0].startswith("kitchen/fridge: interrupted: 2 uploaded, 0 were there")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        pytest.param("kitchen", "is no Roboflow project", id="a workspace"),
        pytest.param("kitchen/fridge/2", "is no Roboflow project", id="a version"),
        pytest.param("kitchen/oven", "Roboflow has no such thing", id="no such project"),
    ],
)
def test_where_nothing_can_be_uploaded_to(server: Roboflow, dataset: Dataset, reference: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        upload(reference, dataset)
    assert caught.value.reason.startswith(reason)
    assert server.received == []


def test_the_key_of_another_workspace(server: Roboflow, dataset: Dataset) -> None:
    """The address of an upload has no workspace: it would go to a project of that name in the key's own."""
    server.owner = "garage"
    with pytest.raises(InputError, match="the key is of workspace garage"):
        upload("kitchen/fridge", dataset)
    assert server.received == []


def test_a_key_of_no_workspace(
    server: Roboflow, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The SDK takes a key without small letters for an example, and prints what to do."""
    monkeypatch.setenv(KEY_VARIABLE, "ABCDEF123456")
    server.instead["/kitchen/fridge"] = (200, server.project())
    with pytest.raises(InputError, match=r"the key is of workspace \(none\)"):
        upload("kitchen/fridge", dataset)
    assert capfd.readouterr() == ("", "")


def test_a_network_that_is_gone_ends_it(server: Roboflow, dataset: Dataset, tmp_path: Path) -> None:
    more = [record(tmp_path, f"{number}.png", "black") for number in range(2)]
    server.instead["/upload"] = (0, b"")
    report = upload("kitchen/fridge", dataset.with_images([*dataset.images, *more]))
    gone = "127.0.0.1 is not reached or breaks off ("
    assert [skip.why.startswith(gone) for skip in report.failed] == [True, True, True, False, False]
    assert all(skip.why.startswith(f"not tried: {gone}") for skip in report.failed[3:])
    assert server.asked.count("POST /dataset/fridge/upload") == 9  # each is tried three times


def test_a_project_that_the_sdk_does_not_understand(server: Roboflow, dataset: Dataset) -> None:
    server.instead["/kitchen/fridge"] = (200, {"project": {"name": "x"}})
    with pytest.raises(InputError, match="its answer is not as the SDK expects it: KeyError"):
        upload("kitchen/fridge", dataset)


def test_a_suffix_that_roboflow_does_not_know_is_sent_as_what_it_is(server: Roboflow, tmp_path: Path) -> None:
    file = tmp_path / "photo.jfif"
    file.write_bytes(picture_bytes(kind="JPEG"))
    image = ImageRecord(file, "photo.jfif", 200, 100, ".jpg")
    assert upload("kitchen/fridge", Dataset(("egg",), (image,))).uploaded == ("photo.jfif",)
    assert [(got.name, got.content) for got in server.received] == [("photo.jpg", file.read_bytes())]


def test_a_source_in_any_format_is_uploaded(server: Roboflow, tmp_path: Path) -> None:
    folder = fetch_roboflow(tmp_path, VERSION)
    (folder / "valid" / "labels" / "b.txt").write_text("0 0.9 0.5 0.4 0.4\n")
    listening = Listening()
    report = upload_roboflow(
        folder, "kitchen/fridge", "yolo", batch="back", options=formats.ReadOptions(progress=listening)
    )
    assert report == UploadReport(uploaded=("train/images/a.png", "valid/images/b.png"), boxes=2)
    assert any("clipped" in line for line in listening.said)
    annotation = server.received[0].annotation
    assert annotation is not None
    assert [entry["bbox"] for entry in annotation["annotations"]] == [[80, 30, 40, 40]]
    with pytest.raises(UsageError, match="'yola' is not known"):
        upload_roboflow(folder, "kitchen/fridge", "yola")


def test_the_text_of_the_boxes_is_json_whatever_the_name() -> None:
    image = ImageRecord(Path("x"), 'a/"q"\nname\udcff.PNG', 10, 10, ".PNG")
    assert roboflow_upload.file_name(image) == '"q" name?.PNG'
    assert json.loads(roboflow_upload.coco_text(image, ("egg",)))["images"][0]["file_name"] == '"q" name?.PNG'


def test_by_the_command_line(server: Roboflow, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["fetch", "roboflow", VERSION, "--project", str(tmp_path)]) == 0
    folder = tmp_path / "datasets" / "raw" / "fridge-v2"
    assert str(folder) in capfd.readouterr().out
    assert run(["upload", "roboflow", "kitchen/fridge", str(folder)]) == 0
    assert "2 uploaded" in capfd.readouterr().out


def test_a_picture_that_fails_is_named_by_the_command_line(
    server: Roboflow, dataset: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch_roboflow(tmp_path, VERSION, tmp_path / "in")
    server.instead["/upload"] = (400, {"message": "no"})
    assert run(["upload", "roboflow", "kitchen/fridge", str(tmp_path / "in")]) == 3
    assert "failed: train/images/a.png" in capfd.readouterr().err
