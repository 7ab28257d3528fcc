"""What a SOURCE stands for: every kind of it, several at once, and folders that are not tidy."""

from __future__ import annotations

import os
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from yolo_pipeline.errors import InputError
from yolo_pipeline.gathering import Address, Gathered, gather
from yolo_pipeline.nouns import Skip
from yolo_pipeline.views import Candidate


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def picture(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3)).save(name, "PNG")


def text(name: str, content: str | bytes = "") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def names(gathered: Gathered) -> list[str]:
    return [candidate.name for candidate in gathered.candidates]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Somebody whom permissions bind: root is nobody for a while."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are others on Windows")
    root = os.geteuid() == 0
    if root:
        for folder in (Path.cwd(), *Path.cwd().parents[:-1]):
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


# --- folders


def test_a_folder_stands_for_all_pictures_below_it(tmp_path: Path) -> None:
    picture("scraped/b.jpg", "scraped/a.png", "scraped/deep/er/c.webp", "scraped/.hidden.jpg", "scraped/.git/d.jpg")
    picture("scraped/__MACOSX/a.png")
    text("scraped/notes.txt")
    text("scraped/labels.json")
    assert gather(["scraped"]) == Gathered(
        (
            Candidate("a.png", Path("scraped/a.png"), "scraped"),
            Candidate("b.jpg", Path("scraped/b.jpg"), "scraped"),
            Candidate("deep/er/c.webp", Path("scraped/deep/er/c.webp"), "scraped"),
        ),
        notes=("scraped: files passed over that are no pictures: 2",),
    )


@pytest.mark.parametrize("source", [".", "./", "../here"])
def test_names_do_not_tell_how_a_folder_was_named(source: str) -> None:
    picture("a/1.jpg")
    assert names(gather([source])) == ["a/1.jpg"]


def test_pictures_are_known_by_suffix_or_by_their_first_bytes() -> None:
    for suffix in (".jpg", ".JPEG", ".gif", ".avif", ".webp", ".tif", ".heic", ".jfif", ".bmp"):
        text(f"scraped/claims{suffix}", "not one")
    picture("scraped/without", "scraped/photo.jpg:large", "scraped/image.php", "scraped/half.jpg.part")
    text("scraped/icon.ico", b"\0\0\1\0")
    text("scraped/song.wav", b"RIFF\4\0\0\0WAVE")
    text("scraped/BMW", "BMW is a car")
    text("scraped/empty")
    gathered = gather(["scraped"])
    assert names(gathered) == [
        "claims.JPEG", "claims.avif", "claims.bmp", "claims.gif", "claims.heic", "claims.jfif", "claims.jpg",
        "claims.tif", "claims.webp", "half.jpg.part", "image.php", "photo.jpg:large", "without",
    ]  # fmt: skip
    assert gathered.notes == ("scraped: files passed over that are no pictures: 4",)


def test_links_that_loop_are_walked_once_and_noted() -> None:
    picture("scraped/a.jpg", "scraped/deep/b.jpg")
    Path("scraped/loop").symlink_to(".", target_is_directory=True)
    Path("scraped/deep/up").symlink_to("../..", target_is_directory=True)
    Path("scraped/again").symlink_to("deep", target_is_directory=True)
    gathered = gather(["scraped"])
    assert names(gathered) == ["a.jpg", "deep/b.jpg"]
    assert gathered.skipped == ()
    assert gathered.notes == (
        "scraped/loop: leads back to a folder that it lies in, which is walked once",
        "scraped/deep/up: leads back to a folder that it lies in, which is walked once",
        "scraped/again: leads to scraped/deep, which is walked once",
    )


def test_folders_that_link_to_each_other_are_walked_once() -> None:
    picture("scraped/a/1.jpg", "other/2.jpg")
    Path("scraped/a/other").symlink_to(Path("other").resolve(), target_is_directory=True)
    Path("other/back").symlink_to(Path("scraped/a").resolve(), target_is_directory=True)
    gathered = gather(["scraped"])
    assert names(gathered) == ["a/1.jpg", "a/other/2.jpg"]
    assert gathered.notes == ("scraped/a/other/back: leads to scraped/a, which is walked once",)


def test_links_to_files_anywhere_are_pictures_and_dangling_ones_are_skipped() -> None:
    picture("elsewhere/x.jpg", "scraped/a.jpg")
    Path("scraped/linked.jpg").symlink_to(Path("elsewhere/x.jpg").resolve())
    Path("scraped/dangling.jpg").symlink_to("nowhere.jpg")
    Path("scraped/folder").symlink_to("nowhere")
    Path("scraped/self.jpg").symlink_to("self.jpg")
    Path("scraped/notes.txt").symlink_to("nowhere.txt")
    gathered = gather(["scraped"])
    assert names(gathered) == ["a.jpg", "linked.jpg"]
    assert gathered.skipped == tuple(
        Skip(name, "a link that leads nowhere") for name in ("dangling.jpg", "folder", "self.jpg")
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_with_the_name_of_a_picture_is_skipped() -> None:
    picture("scraped/a.jpg")
    os.mkfifo("scraped/pipe.jpg")
    os.mkfifo("scraped/pipe")
    gathered = gather(["scraped"])
    assert names(gathered) == ["a.jpg"]
    assert gathered.skipped == (Skip("pipe.jpg", "it is a pipe or a device, not a file"),)
    with pytest.raises(InputError, match=r"scraped/pipe\.jpg: is a pipe or a device"):
        gather(["scraped/pipe.jpg"])


def test_folders_and_files_without_permission_are_skipped() -> None:
    picture("scraped/a.jpg", "scraped/closed/b.jpg", "scraped/unknown")
    Path("scraped/closed").chmod(0)
    Path("scraped/unknown").chmod(0)
    try:
        with unprivileged():
            gathered = gather(["scraped"])
            with pytest.raises(InputError, match="scraped/closed: Permission denied"):
                gather(["scraped/closed"])
    finally:
        Path("scraped/closed").chmod(0o755)
    assert names(gathered) == ["a.jpg"]
    assert gathered.skipped == (Skip("closed", "Permission denied"), Skip("unknown", "Permission denied"))


def test_a_file_and_links_to_it_count_once_under_its_own_name() -> None:
    picture("scraped/b.jpg")
    Path("scraped/a.jpg").symlink_to("b.jpg")
    gathered = gather(["scraped"])
    assert names(gathered) == ["b.jpg"]
    assert gathered.notes == ("scraped/a.jpg: is the same file as scraped/b.jpg, which counts once",)


def test_deep_folders() -> None:
    folder = "scraped/" + "/".join(["d"] * 300)
    picture(f"{folder}/a.jpg")
    assert names(gather(["scraped"])) == ["d/" * 300 + "a.jpg"]


# --- names


def test_decomposed_korean_is_composed_and_emoji_stay() -> None:
    apart = unicodedata.normalize("NFD", "사진")
    picture(f"{apart}/{apart}.jpg", "사진 🦷.png")
    gathered = gather(["."])
    assert names(gathered) == ["사진 🦷.png", "사진/사진.jpg"]
    assert gathered.candidates[1].file == Path(f"{apart}/{apart}.jpg")


def test_names_that_differ_in_composition_alone_are_told_apart() -> None:
    apart = unicodedata.normalize("NFD", "사진.jpg")
    picture(f"scraped/{apart}", "scraped/사진.jpg")
    if len(list(Path("scraped").iterdir())) == 1:
        pytest.skip("this disk takes the two for one name")
    assert sorted(names(gather(["scraped"]))) == ["사진-2.jpg", "사진.jpg"]


def test_several_folders_go_before_the_names() -> None:
    picture("2023/a.jpg", "2024/a.jpg")
    assert names(gather(["2024", "2023/"])) == ["2024/a.jpg", "2023/a.jpg"]


def test_folders_of_one_name_are_told_apart_by_those_above() -> None:
    picture("one/test/a.jpg", "two/test/a.jpg", "two/test/b.jpg", "more/c.jpg")
    assert names(gather(["one/test", "two/test", "more"])) == [
        "one/test/a.jpg", "two/test/a.jpg", "two/test/b.jpg", "more/c.jpg",
    ]  # fmt: skip


def test_files_are_named_by_themselves_unless_two_are_called_the_same() -> None:
    picture("car/front.jpg", "bus/front.jpg", "car/back.jpg")
    assert names(gather(["car/front.jpg", "bus/front.jpg", "car/back.jpg"])) == [
        "car/front.jpg", "bus/front.jpg", "back.jpg",
    ]  # fmt: skip


def test_a_file_and_a_folder_whose_names_meet() -> None:
    picture("x/a/1.jpg", "y/a/1.jpg", "z/a/1.jpg")
    assert names(gather(["x/a", "y/a/1.jpg", "z/a/1.jpg"])) == ["a/1.jpg", "y/a/1.jpg", "z/a/1.jpg"]
    picture("a-2/1.jpg")
    assert names(gather(["x/a", "a-2/1.jpg"])) == ["a/1.jpg", "1.jpg"]


@pytest.mark.parametrize(
    ("sources", "expected", "notes"),
    [
        pytest.param(
            ["scraped", "scraped/deep"],
            ["scraped/a.jpg", "scraped/deep/b.jpg"],
            ("scraped/deep: pictures that were reached before and count once: 1",),
            id="a folder in a folder",
        ),
        pytest.param(
            ["scraped/deep/b.jpg", "scraped"],
            ["b.jpg", "scraped/a.jpg"],
            ("scraped: pictures that were reached before and count once: 1",),
            id="a file, then its folder",
        ),
        pytest.param(
            ["scraped/a.jpg", "./scraped/a.jpg", "scraped/deep/../a.jpg"],
            ["a.jpg"],
            (
                "./scraped/a.jpg: pictures that were reached before and count once: 1",
                "scraped/deep/../a.jpg: pictures that were reached before and count once: 1",
            ),
            id="one file, written in three ways",
        ),
        pytest.param(
            ["scraped", "scraped"],
            ["scraped/a.jpg", "scraped/deep/b.jpg"],
            ("scraped: pictures that were reached before and count once: 2",),
            id="a folder twice",
        ),
    ],
)
def test_what_is_reached_twice_counts_once(sources: list[str], expected: list[str], notes: tuple[str, ...]) -> None:
    picture("scraped/a.jpg", "scraped/deep/b.jpg")
    gathered = gather(sources)
    assert names(gathered) == expected
    assert gathered.notes == notes


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("scraped/*.jpg", ["a.jpg", "b.jpg"], id="star"),
        pytest.param("scraped/?.jpg", ["a.jpg", "b.jpg"], id="question mark"),
        pytest.param("scraped/[!a].*", ["b.jpg"], id="set"),
        pytest.param("scraped/*/*.jpg", ["deep/c.jpg"], id="star for a folder"),
        pytest.param("scraped/**/*.jpg", ["a.jpg", "b.jpg", "deep/c.jpg", "deep/er/d.jpg"], id="folders in folders"),
        pytest.param("scraped/**", ["a.jpg", "b.jpg", "deep/c.jpg", "deep/er/d.jpg", "deep/x.png"], id="all"),
        pytest.param("**/er/*", ["scraped/deep/er/d.jpg"], id="from here on"),
        pytest.param("scraped/**/deep/**/*.jpg", ["deep/c.jpg", "deep/er/d.jpg"], id="stars twice"),
        pytest.param("scraped/d*", ["deep/c.jpg", "deep/er/d.jpg", "deep/x.png"], id="a folder that matches"),
        pytest.param("scraped/**/deep", ["deep/c.jpg", "deep/er/d.jpg", "deep/x.png"], id="a folder, wherever"),
        pytest.param("s*/*/e*/*", ["scraped/deep/er/d.jpg"], id="a star in each part"),
    ],
)
def test_patterns(pattern: str, expected: list[str]) -> None:
    picture("scraped/a.jpg", "scraped/b.jpg", "scraped/deep/c.jpg", "scraped/deep/x.png", "scraped/deep/er/d.jpg")
    picture("scraped/.hidden.jpg")
    text("scraped/notes.txt")
    Path("scraped/deep/loop").symlink_to("..", target_is_directory=True)
    gathered = gather([pattern])
    assert names(gathered) == expected
    assert {candidate.source for candidate in gathered.candidates} == {pattern}
    assert all(candidate.file.is_file() for candidate in gathered.candidates)


def test_a_pattern_matches_korean_names_however_they_are_stored() -> None:
    apart = unicodedata.normalize("NFD", "사진")
    picture(f"s/{apart}/{apart} 1.jpg", "s/사진/사진 2.jpg", "s/x/3.jpg")
    for pattern in ("s/*진/사*.jpg", unicodedata.normalize("NFD", "s/*진/사*.jpg"), "s/**/사진 ?.jpg"):
        assert names(gather([pattern])) == ["사진/사진 1.jpg", "사진/사진 2.jpg"]


def test_what_is_really_there_is_no_pattern() -> None:
    picture("photo [1].jpg", "photo 1.jpg", "set[a]/x.jpg")
    assert names(gather(["photo [1].jpg"])) == ["photo [1].jpg"]
    assert names(gather(["set[a]"])) == ["x.jpg"]


def test_a_pattern_skips_dangling_links_and_notes_other_files() -> None:
    picture("scraped/a.jpg")
    text("scraped/notes.txt")
    Path("scraped/dangling.jpg").symlink_to("nowhere")
    gathered = gather(["scraped/*"])
    assert names(gathered) == ["a.jpg"]
    assert gathered.skipped == (Skip("dangling.jpg", "a link that leads nowhere"),)
    assert gathered.notes == ("scraped/*: files passed over that are no pictures: 1",)


# --- archives


def zipped(name: str, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(name, "w") as archive:
        for entry, data in entries.items():
            archive.writestr(entry, data)


def test_a_zip_stands_for_the_pictures_in_it(tmp_path: Path) -> None:
    picture("a.png")
    data = Path("a.png").read_bytes()
    zipped("scraped.zip", {"photos/사진.png": data, "photos/more/b.jpg": data, "photos/notes.txt": b"x"})
    gathered = gather(["scraped.zip"])
    assert names(gathered) == ["more/b.jpg", "사진.png"]
    assert {candidate.source for candidate in gathered.candidates} == {"scraped.zip"}
    assert all(candidate.file.is_relative_to(tmp_path / "cache") for candidate in gathered.candidates)
    assert [candidate.file.read_bytes() for candidate in gathered.candidates] == [data, data]
    assert names(gather(["a.png", "scraped.zip"])) == ["a.png", "scraped.zip/more/b.jpg", "scraped.zip/사진.png"]


def test_zips_that_a_pattern_matches_are_unpacked() -> None:
    picture("a.png")
    for name in ("one.zip", "two.ZIP", "more/three.zip"):
        Path(name).parent.mkdir(exist_ok=True)
        zipped(name, {f"{Path(name).stem}.png": Path("a.png").read_bytes()})
    assert names(gather(["*.[zZ]*"])) == ["one.zip/one.png", "two.ZIP/two.png"]
    assert names(gather(["**/*.zip"])) == ["three.zip/three.png", "one.zip/one.png"]


@pytest.mark.parametrize("pattern", ["*", "**"])
def test_a_broken_zip_that_a_pattern_matches_is_skipped(pattern: str) -> None:
    picture("a.png")
    text("b.zip", "no archive")
    zipped("c.zip", {"notes.txt": b"x"})
    zipped("d.zip", {"d.png": Path("a.png").read_bytes()})
    gathered = gather([pattern])
    assert [name.rpartition("/")[2] for name in names(gathered)] == ["a.png", "d.png"]
    assert [skip.why.partition(" (")[0] for skip in gathered.skipped] == [
        "is not a whole zip archive", "holds no picture",
    ]  # fmt: skip


@pytest.mark.parametrize("source", [".", "mor*", "**/more"])
def test_zips_that_lie_in_a_folder_are_passed_over(source: str) -> None:
    picture("more/a.png")
    zipped("more/three.zip", {"three.png": Path("more/a.png").read_bytes()})
    assert [name.rpartition("/")[2] for name in names(gather([source]))] == ["a.png"]


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        pytest.param({"../a.jpg": b"x"}, r"\.\./a\.jpg: leads out of the archive", id="leads outside"),
        pytest.param({"a.txt": b"x"}, "holds no picture", id="no picture in it"),
        pytest.param({}, "holds no picture", id="nothing in it"),
    ],
)
def test_bad_archives_are_refused(entries: dict[str, bytes], reason: str) -> None:
    zipped("scraped.zip", entries)
    with pytest.raises(InputError, match=rf"^scraped\.zip: {reason}"):
        gather(["scraped.zip"])


def test_what_is_named_zip_and_is_none_is_refused() -> None:
    text("scraped.zip", "no archive")
    with pytest.raises(InputError, match=r"^scraped\.zip: is not a whole zip archive"):
        gather(["scraped.zip"])


# --- addresses

A, B = "https://example.org/a.jpg", "http://example.org/b.png"


def test_addresses_are_gathered_and_not_fetched() -> None:
    gathered = gather([A, B])
    assert gathered == Gathered((), addresses=(Address(A), Address(B)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{A}\n\n# more\n{B}\n".encode(), id="UTF-8"),
        pytest.param(f"{A}\r\n\r\n# 치아\r\n{B}".encode("utf-8-sig"), id="with mark and Windows line ends"),
        pytest.param(f"{A}\n\n\n{B}\n".encode("utf-16"), id="UTF-16"),
        pytest.param(f"{A}\n\n# 치아\n{B}\n".encode("cp949"), id="CP949"),
        pytest.param(f"  {A}\t\n\n# caf\xe9\n {B} ".encode("latin-1"), id="blanks around, Latin-1"),
    ],
)
def test_a_list_of_addresses(content: bytes) -> None:
    text("urls.txt", content)
    assert gather(["urls.txt"]).addresses == (Address(A, "urls.txt", 1), Address(B, "urls.txt", 4))


def test_bad_lines_of_a_list_are_skipped_by_number() -> None:
    lines = ["HTTPS://Example.org/a", "a.jpg", "file:///etc/passwd", "ftp://example.org/a.jpg", "https://", "http://[::1/",
             "https://example.org/사진 1.jpg", f"https://example.org/{'x' * 9000}"]  # fmt: skip
    text("urls.txt", "\n".join(lines))
    gathered = gather(["urls.txt"])
    assert [(address.url, address.line) for address in gathered.addresses] == [(lines[0], 1), (lines[6], 7)]
    assert gathered.skipped == (
        Skip("urls.txt:2", "is no http or https address: a.jpg"),
        Skip("urls.txt:3", "is no http or https address: file:///etc/passwd"),
        Skip("urls.txt:4", "is no http or https address: ftp://example.org/a.jpg"),
        Skip("urls.txt:5", "is no http or https address: https://"),
        Skip("urls.txt:6", "is no http or https address: http://[::1/"),
        Skip("urls.txt:8", f"is no http or https address: https://example.org/{'x' * 40}…"),
    )


def test_addresses_count_once_over_all_sources() -> None:
    text("urls.txt", f"{A}\n{B}\n{A}\n")
    gathered = gather([B, "urls.txt"])
    assert gathered.addresses == (Address(B), Address(A, "urls.txt", 1))
    assert gathered.notes == ("urls.txt: addresses that were there already and count once: 2",)


def test_pictures_and_addresses_together() -> None:
    picture("scraped/a.jpg")
    gathered = gather(["scraped", A])
    assert names(gathered) == ["scraped/a.jpg"]
    assert gathered.addresses == (Address(A),)


# --- files


def test_a_picture_is_known_by_suffix_or_content_and_is_not_looked_into() -> None:
    text("broken.jpg", "not a picture")
    picture("without suffix", ".hidden.png")
    assert names(gather(["broken.jpg", "without suffix", ".hidden.png"])) == [
        "broken.jpg",
        "without suffix",
        ".hidden.png",
    ]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("none.jpg", "there is no such file or folder", id="not there"),
        pytest.param("none/", "there is no such file or folder", id="folder not there"),
        pytest.param("", "names nothing", id="empty"),
        pytest.param("a\0b.jpg", "names nothing", id="NUL"),
        pytest.param("x" * 5000, "there is no such file or folder", id="too long for a name"),
        pytest.param("empty", "holds no picture", id="empty folder"),
        pytest.param("texts", "holds no picture", id="folder without pictures"),
        pytest.param("texts/*.jpg", "matches no file", id="pattern without a match"),
        pytest.param("none/*.jpg", "there is no folder none", id="pattern in no folder"),
        pytest.param("texts/*", "matches no picture", id="pattern that matches texts"),
        pytest.param("texts/**", "matches no file", id="pattern below texts"),
        pytest.param("dangling.jpg", "is a link that leads nowhere", id="dangling link"),
        pytest.param("texts/notes.txt", "is no picture and no zip, and holds no http or https address", id="text"),
        pytest.param("movie.mp4", "is no picture and no zip, and holds no http or https address", id="film"),
        pytest.param("nothing.txt", "is no picture and no zip, and holds no http or https address", id="empty file"),
        pytest.param("ftp://example.org/a.jpg", "is an address that is not fetched", id="ftp"),
        pytest.param("file:///etc/passwd", "is an address that is not fetched", id="address of a file"),
        pytest.param("https://", "is an address that is not fetched", id="address without host"),
    ],
)  # fmt: skip
def test_a_source_that_is_nothing_is_an_error(source: str, reason: str) -> None:
    picture("a.jpg")
    Path("empty").mkdir()
    text("texts/notes.txt", "nothing here\n")
    text("movie.mp4", b"\0\0\0\x18ftypmp42" + bytes(range(256)))
    text("nothing.txt")
    Path("dangling.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(InputError, match=f": {reason}") as refused:
        gather(["a.jpg", source])
    assert refused.value.exit_code == 3
    assert "\n" not in str(refused.value)


def test_a_folder_of_unreadable_pictures_alone_is_no_error() -> None:
    Path("scraped").mkdir()
    Path("scraped/dangling.jpg").symlink_to("nowhere.jpg")
    assert gather(["scraped"]) == Gathered((), (Skip("dangling.jpg", "a link that leads nowhere"),))


def test_no_sources_no_pictures() -> None:
    assert gather([]) == Gathered(())
