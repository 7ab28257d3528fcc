"""From what the user named to the pictures to look at, and the folder for what is found there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.errors import InputError
from yolo_pipeline.gathering import gather
from yolo_pipeline.nouns import Skip
from yolo_pipeline.progress import silent
from yolo_pipeline.recipes.detect.sources import candidates_of, claimed, default_folder


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def picture(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3)).save(name)


def results_of_detect(folder: str) -> None:
    picture(f"{folder}/pictures/0.3/a.jpg", f"{folder}/downloaded/b.jpg", f"{folder}/contact-sheet.jpg")
    OutFolder(Path(folder)).journal_file.write_bytes(b"{}\n")


def candidates(*sources: str) -> tuple[list[str], list[str]]:
    """Names of the pictures to look at, and notes."""
    got, _, notes = candidates_of(gather(sources), OutFolder(Path("out")), silent, allow_local=False)
    return [one.name for one in got], notes


PASSED = "pictures that an earlier detect made were passed over"


@pytest.mark.parametrize(
    ("source", "names", "passed"),
    [
        pytest.param("scraped", ["x.jpg"], 3, id="a folder that results lie in"),
        pytest.param("scraped/", ["x.jpg"], 3, id="written with a slash"),
        pytest.param(".", ["scraped/x.jpg"], 3, id="from here on"),
        pytest.param("scraped/*", ["x.jpg"], 3, id="a pattern that matches results"),
        pytest.param("scraped/**/*.jpg", ["x.jpg"], 3, id="a pattern with folders in folders"),
        pytest.param("scraped/found", [], 3, id="the results themselves"),
        pytest.param("scraped/found/downloaded", ["b.jpg"], 0, id="the pictures that were fetched"),
        pytest.param("scraped/found/pictures/0.3/*.jpg", ["a.jpg"], 0, id="a pattern for drawn pictures"),
        pytest.param("scraped/found/contact-sheet.jpg", ["contact-sheet.jpg"], 0, id="a picture by its name"),
    ],
)
def test_results_are_no_pictures_to_look_at_unless_named(source: str, names: list[str], passed: int) -> None:
    picture("scraped/x.jpg")
    results_of_detect("scraped/found")
    got, notes = candidates(source)
    assert got == names
    assert [note for note in notes if PASSED in note] == ([f"{passed} {PASSED}"] if passed else [])


def test_a_folder_that_becomes_one_of_results_is_known_for_it() -> None:
    picture("scraped/x.jpg", "scraped/found/downloaded/b.jpg")
    assert candidates("scraped")[0] == ["found/downloaded/b.jpg", "x.jpg"]
    results_of_detect("scraped/found")
    assert candidates("scraped")[0] == ["x.jpg"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("scraped", "scraped", id="folder"),
        pytest.param("photos.2024/", "photos.2024", id="folder with a dot in its name"),
        pytest.param(".", "here", id="this folder"),
        pytest.param("치아 사진", "치아-사진", id="Korean with a blank"),
        pytest.param("a.jpg", "a", id="file"),
        pytest.param("scraped/*.jpg", "scraped", id="pattern"),
        pytest.param("scraped/**/x/*.jpg", "scraped", id="pattern of folders"),
        pytest.param("*.jpg", "here", id="pattern for this folder"),
        pytest.param("set[a]", "set-a", id="a folder that looks like a pattern"),
        pytest.param("https://example.org:81/a.jpg", "example.org-81", id="address"),
        pytest.param("urls.txt", "urls", id="list"),
    ],
)
def test_results_lie_in_a_folder_called_after_the_source(source: str, name: str) -> None:
    picture("a.jpg")
    for folder in ("scraped", "photos.2024", "치아 사진", "set[a]"):
        Path(folder).mkdir()
    assert default_folder(Path("project"), "attempt 5", [source]) == Path("project/detections/attempt-5") / name
    more = default_folder(Path("project"), "attempt 5", [source, "b", "c"])
    assert more == Path("project/detections/attempt-5") / f"{name}-and-2-more"


def test_only_a_folder_of_ours_is_gone_on_with() -> None:
    picture("mine/downloaded/a.jpg")
    for again in (False, True):
        with pytest.raises(InputError, match="mine: holds something else than detections"):
            claimed(Path("mine"), again)
    Path("mine/downloaded/.downloads.jsonl").touch()
    assert claimed(Path("mine"), False) == OutFolder(Path("mine"))
    assert claimed(Path("new"), True) == OutFolder(Path("new"))


def test_again_keeps_what_is_there_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        results_of_detect("found")
        assert claimed(Path("found"), True) == OutFolder(Path("found"))
        assert not Path("found").exists()
        assert Path(f"found.{number}/.seen.jsonl").is_file()
    results_of_detect("found")
    monkeypatch.chdir("found")
    with pytest.raises(InputError, match="cannot be renamed while the command runs in it"):
        claimed(Path(), True)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a server on loopback has one picture under /a.jpg and /b.jpg, and nothing else."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    picture("served/a.jpg", "served/b.jpg")
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *arguments: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory="served")) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pictures_of_one_content_count_once_and_are_logged_by_address_and_source(pages: str) -> None:
    Path("urls.txt").write_text(f"{pages}/a.jpg\n\n{pages}/none.jpg\nnonsense\n{pages}/b.jpg\n")
    out = OutFolder(Path("out"))
    got, skipped, notes = candidates_of(gather(["urls.txt"]), out, silent, allow_local=True)
    assert [(one.name, one.source) for one in got] == [(f"downloaded/{got[0].file.name}", f"{pages}/a.jpg")]
    assert skipped == [
        Skip("urls.txt:4", "is no http or https address: nonsense"),
        Skip(f"{pages}/none.jpg", "answers 404 (Not Found)"),
    ]
    assert notes == ["addresses that gave the same picture as another, which counts once: 1 (see downloads.csv)"]
    with (out.downloads / "downloads.csv").open(encoding="utf-8", newline="") as lines:
        rows = [(row["url"], row["source"], row["status"]) for row in csv.DictReader(lines)]
    assert rows == [
        (f"{pages}/a.jpg", "urls.txt:1", "200"),
        (f"{pages}/none.jpg", "urls.txt:3", "404"),
        (f"{pages}/b.jpg", "urls.txt:5", "200"),
    ]


def test_a_fetched_picture_and_one_of_a_folder_have_names_of_their_own(pages: str) -> None:
    out, url = OutFolder(Path("out")), f"{pages}/a.jpg"
    (fetched,), _, _ = candidates_of(gather([url]), out, silent, allow_local=True)
    picture(f"other/{fetched.name}")
    both, _, _ = candidates_of(gather(["other/downloaded", url]), out, silent, allow_local=True)
    assert len({one.name for one in both}) == 2
    assert both[1].file == fetched.file
