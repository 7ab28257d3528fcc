"""COCO weights of the model zoo: fetched once from a real server on loopback; archives from strangers are refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Told
from picture_server import Page, PictureServer, gives, one_after_another, redirects, serve, status

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.fetching import zoo
from yolo_pipeline.tfapi.weights import checkpoint_prefix

NAME = "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8"
PATH = f"/tf2/{NAME}.tar.gz"
REMEDY = "Start from scratch with `pretrained: false` in the attempt, or name a checkpoint: train.fine_tune_checkpoint"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    monkeypatch.setattr(zoo, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as running:
        yield running


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(content), link
    return info, content


GOOD = (
    entry(NAME, kind=tarfile.DIRTYPE),
    entry(f"{NAME}/checkpoint/checkpoint", b'model_checkpoint_path: "ckpt-0"'),
    entry(f"{NAME}/checkpoint/ckpt-0.index", b"index"),
    entry(f"{NAME}/checkpoint/ckpt-0.data-00000-of-00001", b"data" * 1000),
    entry(f"{NAME}/saved_model/saved_model.pb", bytes(10_000)),
    entry(f"{NAME}/pipeline.config", b"model { }"),
)


def packed(*entries: tuple[tarfile.TarInfo, bytes], format: int = tarfile.GNU_FORMAT) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=format) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(written.getvalue())


def fetch(server: PictureServer, page: Page | None, told: Told | None = None) -> zoo.ZooModel:
    if page is not None:
        server.pages[PATH] = page
    return zoo.zoo_model(NAME, told or Told(), base=server.url("/tf2"))


def fault(server: PictureServer, page: Page) -> str:
    """What a user reads, with URL for the address; nothing is kept then."""
    with pytest.raises(WeightsError) as caught:
        fetch(server, page)
    assert not [path for path in zoo.cache_folder().rglob("*") if path.is_file()]
    return str(caught.value).replace(server.url(PATH), "URL")


def test_the_checkpoint_and_its_config_are_kept_and_nothing_else(server: PictureServer, tmp_path: Path) -> None:
    archive, told = packed(*GOOD), Told()

    model = fetch(server, gives(archive), told)

    folder = tmp_path / "cache" / "tfapi" / "zoo" / NAME
    assert model == zoo.ZooModel(
        checkpoint=str(folder / "checkpoint" / "ckpt-0"),
        archive=f"{NAME}.tar.gz",
        sha256=hashlib.sha256(archive).hexdigest(),
    )
    assert {
        path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    } == {
        "archive.json": (folder / "archive.json").stat().st_size,
        "checkpoint/ckpt-0.data-00000-of-00001": 4000,
        "checkpoint/ckpt-0.index": 5,
        "pipeline.config": 9,
    }
    assert checkpoint_prefix(folder) == model.checkpoint
    assert told.lines == [f"fetching COCO weights from TensorFlow's model zoo (about 20 MB, needs the network): {NAME}"]


def test_what_is_there_is_not_fetched_again(server: PictureServer) -> None:
    first, told = fetch(server, gives(packed(*GOOD))), Told()

    assert fetch(server, None, told) == first
    assert told.lines == []
    assert server.asked == [PATH]


def test_what_lost_a_file_is_fetched_again(server: PictureServer) -> None:
    Path(fetch(server, gives(packed(*GOOD))).checkpoint + ".index").unlink()

    fetch(server, None)

    assert server.asked == [PATH, PATH]


def test_a_redirect_is_followed(server: PictureServer) -> None:
    server.pages["/elsewhere"] = gives(packed(*GOOD))

    assert fetch(server, redirects("/elsewhere")).archive == f"{NAME}.tar.gz"


def test_after_a_failure_it_is_fetched_at_the_next_call(server: PictureServer) -> None:
    page = one_after_another(status("503 Service Unavailable"), gives(packed(*GOOD)))

    assert fault(server, page) == f"URL: the server answers 503. {REMEDY}"
    assert fetch(server, None).archive == f"{NAME}.tar.gz"


def test_without_a_network_one_line_says_what_to_do(server: PictureServer) -> None:
    with pytest.raises(WeightsError) as caught:
        zoo.zoo_model(NAME, Told(), base="http://127.0.0.1:9/tf2")

    said = str(caught.value)
    assert said.startswith(f"http://127.0.0.1:9/tf2/{NAME}.tar.gz: cannot be reached (no network?)")
    assert said.endswith(REMEDY)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        pytest.param(
            "ALL_PROXY", "socks5://127.0.0.1:9", "Using SOCKS proxy, but", id="a proxy of a kind not installed"
        ),
        pytest.param("ALL_PROXY", "what://127.0.0.1:9", "Unknown scheme for proxy", id="a proxy of no kind"),
        pytest.param("SSL_CERT_FILE", "/no/such/file", "[Errno 2] No such file", id="certificates that are not there"),
    ],
)
def test_settings_of_the_network_that_will_not_do(
    server: PictureServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)

    said = fault(server, gives(b""))

    assert said.startswith(f"URL: cannot be asked: {reason}")
    assert said.endswith("Correct or unset what names a proxy (ALL_PROXY) or SSL_CERT_FILE")


def cut_off(visit: object) -> None:
    visit.head(Content_Length=100_000)  # type: ignore[attr-defined]
    visit.out.write(bytes(50_000))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        pytest.param(status("404 Not Found"), "URL: the server answers 404", id="not there"),
        pytest.param(cut_off, "URL: breaks off", id="half of it"),
        pytest.param(gives(b""), "URL: sends a damaged archive", id="nothing"),
        pytest.param(gives(b"<html>sign in</html>"), "URL: sends no gzip archive", id="the page of a hotel"),
        pytest.param(gives(packed(*GOOD)[:-500]), "URL: sends a damaged archive", id="gzip without its end"),
        pytest.param(gives(gzip.compress(b"x" * 10_000)), "URL: sends a damaged archive", id="no tar in the gzip"),
        pytest.param(
            lambda visit: visit.head(Content_Length=10**12),
            "URL: is over the limit of 536870912 bytes",
            id="a terabyte",
        ),
        pytest.param(redirects(PATH), "URL: cannot be fetched: Exceeded", id="a circle"),
        pytest.param(redirects("ftp://127.0.0.1/a"), "URL: cannot be fetched", id="sent to another protocol"),
    ],
)
def test_answers_that_are_no_archive(server: PictureServer, page: Page, reason: str) -> None:
    said = fault(server, page)

    assert said.startswith(reason)
    assert said.endswith(REMEDY)


def with_size(size: int) -> bytes:
    """A good archive whose first entry is said to have another size, even a negative one."""
    info, _ = entry(f"{NAME}/a")
    info.size = size
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + gzip.decompress(packed(*GOOD)))


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        pytest.param(
            packed(*GOOD, entry("../../evil.py")), "URL: ../../evil.py: leads out of the archive", id="out of it"
        ),
        pytest.param(packed(*GOOD, entry("/etc/passwd")), "leads out of the archive", id="an absolute path"),
        pytest.param(packed(*GOOD, entry("C:/Windows/a")), "leads out of the archive", id="a drive of Windows"),
        pytest.param(packed(*GOOD, entry(NAME + "\\..\\..\\a")), "leads out of the archive", id="by backslashes"),
        pytest.param(
            packed(*GOOD, entry(f"{NAME}/a", kind=tarfile.SYMTYPE, link="/etc")), "is a link, a device", id="a link"
        ),
        pytest.param(
            packed(entry(f"{NAME}/checkpoint", kind=tarfile.SYMTYPE, link="/tmp"), *GOOD),
            "is a link, a device",
            id="a folder that is a link",
        ),
        pytest.param(
            packed(*GOOD, entry(f"{NAME}/a", kind=tarfile.LNKTYPE, link="/etc/passwd")), "is a link", id="a hard link"
        ),
        pytest.param(packed(*GOOD, entry(f"{NAME}/a", kind=tarfile.CHRTYPE)), "is a link, a device", id="a device"),
        pytest.param(packed(*GOOD, entry(f"{NAME}/a", kind=tarfile.FIFOTYPE)), "is a link, a device", id="a pipe"),
        pytest.param(packed(*GOOD, GOOD[2]), "ckpt-0.index: is there twice", id="a file twice"),
        pytest.param(packed(*GOOD[:2], *GOOD[3:]), "its archive has no checkpoint/ckpt-0.index", id="no index"),
        pytest.param(packed(*GOOD[:-1]), "its archive has no pipeline.config", id="no config"),
        pytest.param(packed(), "its archive has no checkpoint/ckpt-0.index", id="empty"),
        pytest.param(
            packed(entry(f"{NAME}/checkpoint/ckpt-0.index", kind=tarfile.DIRTYPE), *GOOD[3:]),
            "its archive has no checkpoint/ckpt-0.index",
            id="a folder by the name of a file",
        ),
        pytest.param(packed(*(entry(f"{NAME}/{n}") for n in range(1001))), "has over 1000 entries", id="many entries"),
        pytest.param(with_size(10**11), "sends a damaged archive", id="an entry of 100 GB that is not there"),
        pytest.param(with_size(-512), "URL: ", id="an entry of negative size"),
    ],
)
def test_hostile_archives(server: PictureServer, archive: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in fault(server, gives(archive))
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_bomb_is_not_unpacked(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "MAX_UNPACKED_BYTES", 3_000_000)

    said = fault(server, gives(gzip.compress(bytes(50_000_000))))

    assert said == f"URL: would unpack to more than 3000000 bytes. {REMEDY}"


def test_an_endless_answer_ends_at_the_limit(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "MAX_BYTES", 3_000_000)

    def endless(visit: object) -> None:
        visit.head()  # type: ignore[attr-defined]
        for _ in range(1000):
            visit.out.write(bytes(100_000))  # type: ignore[attr-defined]

    assert fault(server, endless) == f"URL: is over the limit of 3000000 bytes. {REMEDY}"


def test_ctrl_c_leaves_nothing(server: PictureServer, tmp_path: Path) -> None:
    class Impatient(Told):
        def at(self, what: str, done: float, total: float, detail: str = "") -> None:
            raise KeyboardInterrupt

    stop: Callable[[], object] = lambda: fetch(server, gives(packed(*GOOD)), Impatient())  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        stop()

    assert list((tmp_path / "cache" / "tfapi" / "zoo").iterdir()) == []
