"""--mine-backgrounds: pictures without objects on which the model fires, kept for the next attempt."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest import write_yaml
from PIL import Image
from seen_pictures import found, saved, seen

from yolo_pipeline import attempt
from yolo_pipeline.detecting.mining import Mined, mine
from yolo_pipeline.errors import InputError
from yolo_pipeline.images import sha256
from yolo_pipeline.recipes.build import build
from yolo_pipeline.views import Seen, Views

VIEWS = Views((0.3, 0.5))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Seen]:
    """Four different pictures; on the last one nothing is found."""
    scores = {"s/a.jpg": 0.45, "s/b.png": 0.9, "t/a.jpg": 0.31, "t/quiet.png": 0.29}
    return [
        seen(name, found("닭", score), found("onion", 0.3), file=saved(tmp_path / "in" / name, seed=n))
        if score >= 0.3
        else seen(name, found("닭", score), file=saved(tmp_path / "in" / name, seed=n))
        for n, (name, score) in enumerate(scores.items())
    ]


def mined_from(
    pictures: Iterable[Seen], target: Path, labelled: set[str] = frozenset(), held: set[str] = frozenset()
) -> Mined:
    return mine(pictures, VIEWS, target, labelled, held)


def rows(target: Path) -> list[str]:
    return (target / "mined.csv").read_text(encoding="utf-8").splitlines()


def test_pictures_on_which_the_model_fires_are_copied(tmp_path: Path, pictures: list[Seen]) -> None:
    target = tmp_path / "out" / "fooled"
    assert mined_from(pictures, target) == Mined(target, added=3, known=0, left_out=())
    a, b, again = (sha256(one.file) for one in pictures[:3])
    assert rows(target) == [
        "image,score,class,sha256", f"b.png,0.9000,닭,{b}", f"a.jpg,0.4500,닭,{a}", f"a-2.jpg,0.3100,닭,{again}",
    ]  # fmt: skip
    assert sorted(path.name for path in target.iterdir()) == ["a-2.jpg", "a.jpg", "b.png", "mined.csv"]
    assert sha256(target / "a-2.jpg") == again
    assert not (target / "a.jpg").samefile(pictures[0].file)


def test_labelled_and_held_out_pictures_are_left_out_with_the_reason(tmp_path: Path, pictures: list[Seen]) -> None:
    a, b, _ = (sha256(one.file) for one in pictures[:3])
    found = mined_from(pictures, tmp_path / "out", labelled={a, b}, held={b})
    assert [(skip.file, skip.why) for skip in found.left_out] == [
        ("s/a.jpg", "a training picture of the attempt: it is labelled, or a background already"),
        ("s/b.png", "a val or test picture of the attempt: training on it would flatter the scores"),
    ]
    assert found.added == 1
    assert str(found) == (
        f"1 pictures on which the model fires were added to {tmp_path / 'out'}; 2 were left out "
        "(the first, s/a.jpg: a training picture of the attempt: it is labelled, or a background already)"
    )


def test_equal_pictures_are_kept_once(tmp_path: Path, pictures: list[Seen]) -> None:
    twice = [pictures[0], seen("copy.jpg", found("닭", 0.99), file=pictures[0].file)]
    assert mined_from(twice, tmp_path / "out") == Mined(tmp_path / "out", added=1, known=1, left_out=())


def test_where_it_never_fires_no_folder_is_made(tmp_path: Path, pictures: list[Seen]) -> None:
    assert mined_from(pictures[3:], tmp_path / "out").added == 0
    assert not (tmp_path / "out").exists()


def test_a_folder_of_its_own_is_added_to_and_else_left_as_it_is(tmp_path: Path, pictures: list[Seen]) -> None:
    target = tmp_path / "out"
    mined_from(pictures[:1], target)
    (target / "notes").mkdir()
    (target / "notes" / "mine.txt").write_text("kept")
    inode = (target / "a.jpg").stat().st_ino
    second = mined_from(pictures, target)
    assert (second.added, second.known) == (2, 1)
    assert (target / "a.jpg").stat().st_ino == inode
    assert (target / "notes" / "mine.txt").read_text() == "kept"
    assert [row.split(",")[0] for row in rows(target)] == ["image", "b.png", "a.jpg", "a-2.jpg"]
    before = rows(target)
    assert mined_from(pictures, target) == Mined(target, added=0, known=3, left_out=())
    assert rows(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_what_somebody_took_out_does_not_come_back(tmp_path: Path, pictures: list[Seen]) -> None:
    target = tmp_path / "out"
    mined_from(pictures[:2], target)
    (target / "a.jpg").unlink()
    found = mined_from(pictures, target)
    assert [(skip.file, skip.why) for skip in found.left_out] == [
        ("s/a.jpg", "was mined before and taken out of the folder since")
    ]
    assert not (target / "a.jpg").exists()
    assert len(rows(target)) == 4


def test_a_picture_put_there_by_hand_counts_as_there(tmp_path: Path, pictures: list[Seen]) -> None:
    target = tmp_path / "out"
    mined_from(pictures[:1], target)
    (target / "by hand.png").write_bytes(pictures[1].file.read_bytes())
    assert mined_from(pictures[1:2], target) == Mined(target, added=0, known=1, left_out=())


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param(None, "holds something else: there is no mined.csv in it", id="pictures of somebody's"),
        pytest.param("", "cannot be read (", id="empty"),
        pytest.param("a,b\n", "cannot be read (its first line is not image,score,class,sha256)", id="another table"),
        pytest.param("image,score,class,sha256\na.jpg,x,y,z\n", "cannot be read (could not convert", id="no score"),
        pytest.param("image,score,class,sha256\na.jpg,nan,y,z\n", "cannot be read (nan is no score)", id="NaN"),
        pytest.param("image,score,class,sha256\na\n", "cannot be read (a line has 1 cells, not 4)", id="short line"),
        pytest.param("\0\xff", "cannot be read (", id="no text"),
    ],
)
def test_a_folder_of_another_kind_is_refused(
    tmp_path: Path, pictures: list[Seen], table: str | None, reason: str
) -> None:
    target = tmp_path / "out"
    saved(target / "mine.png")
    if table is not None:
        (target / "mined.csv").write_bytes(table.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        mined_from(pictures, target)
    assert reason in str(raised.value)
    assert len(list(target.iterdir())) == 1 + (table is not None)


def test_a_file_is_no_folder(tmp_path: Path, pictures: list[Seen]) -> None:
    with pytest.raises(InputError, match="is a file, where a folder of backgrounds must be"):
        mined_from(pictures, pictures[0].file)


def test_what_training_cannot_use_is_remade_or_left_out(tmp_path: Path) -> None:
    file = tmp_path / "in.gif"
    Image.open(saved(tmp_path / "in.png")).save(file, "GIF")
    pictures = [
        seen("=cmd.gif", found("=닭", 0.9), file=file),
        seen("small.png", found("닭", 0.8), file=saved(tmp_path / "small.png", (40, 9)), size=(40, 9)),
        seen("gone.png", found("닭", 0.7), file=tmp_path / "gone.png"),
    ]
    found_ones = mined_from(pictures, tmp_path / "out")
    assert [(skip.file, skip.why) for skip in found_ones.left_out] == [
        ("small.png", "40x9 pixels are too few to train on"),
        ("gone.png", "No such file or directory"),
    ]
    assert rows(tmp_path / "out")[1:] == [f"cmd.png,0.9000,'=닭,{sha256(file)}"]
    assert mined_from(pictures[:1], tmp_path / "out").known == 1


def test_the_folder_is_one_of_backgrounds(project: Path, pictures: list[Seen]) -> None:
    mined_from(pictures, project / "datasets" / "raw" / "fooled")
    backgrounds = {"source": "datasets/raw/fooled", "share": 0.1}
    write_yaml(project / "attempts" / "2.yaml", {"base": 1, "data": {"backgrounds": backgrounds}})
    built = build(attempt.load(project, 2)).built
    added = [image for image in built.dataset.of("train") if image.is_background]
    assert [image.name.split("/")[0] for image in added] == ["backgrounds"]
    assert {sha256(built.picture(image.name)) for image in added} <= {sha256(one.file) for one in pictures[:3]}
