"""report.md of a classifier, its pictures, and the labels to look at: figures, strangers' names, runs from elsewhere."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from classified_run import CURVES, Said, at_random, classified_run, sure
from PIL import Image

from yolo_pipeline.classification import whole
from yolo_pipeline.comparison import SavedImage
from yolo_pipeline.images import sha256
from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.recipes.report import report
from yolo_pipeline.reporting.classified.answers import drawn_answers
from yolo_pipeline.reporting.classified.figures import Shown, draw_predictions
from yolo_pipeline.reporting.classified.report import write_picture_report
from yolo_pipeline.reporting.classified.suspects import write_picture_suspects
from yolo_pipeline.reporting.tables import layers, plain
from yolo_pipeline.run import Run

NAMES = ("cat", "dog", "사과")
HOSTILE = "<script>alert(1)</script>\n![a](http://b.example/c.png) | x"
YELLOW, RED = (255, 214, 10), (255, 92, 92)


def six(names: Sequence[str] = NAMES) -> list[Said]:
    """Six pictures, of which four are named rightly; the label of the third is suspect."""
    cat, dog, apple = names
    said = [(cat, cat, 0.9), (cat, cat, 0.8), (cat, dog, 0.97), (dog, dog, 0.9), (dog, dog, 0.7), (apple, cat, 0.6)]
    return [(label, sure(names, named, probability)) for label, named, probability in said]


def reported(root: Path, number: int = 1) -> str:
    """report.md; the page is another test's."""
    results = results_of(root, number)
    write_picture_suspects(results)
    write_picture_report(results)
    return results.run.report_file.read_text(encoding="utf-8")


def lines_of(text: str, heading: str) -> str:
    """What stands below a heading."""
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_metrics_say_what_the_judge_says(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six(), "test": six()[:3]})
    said = lines_of(reported(tmp_path), "Metrics")
    assert "|  | val | test |" in said
    assert "| top1 | 0.6667 (0.300 to 0.903) | 0.6667 (" in said
    assert "| top5 | 1.0000 | 1.0000 |" in said
    assert "| right of all | 4 of 6 | 2 of 3 |" in said
    assert "| images | 6 | 3 |" in said
    assert "Of 5 classes or fewer top5 says nothing" in said


def test_classes_have_precision_recall_and_f1(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    said = lines_of(reported(tmp_path), "Classes on val")
    assert "| cat | 3 | 0.6667 | 0.6667 | 0.6667 |" in said
    assert "| dog | 2 | 0.6667 | 1.0000 | 0.8000 |" in said
    assert "| 사과 | 1 | – | 0.0000 | 0.0000 |" in said


def test_mistakes_are_listed_the_surest_first_with_pairs_and_what_a_least_probability_leaves(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    said = lines_of(reported(tmp_path), "What went wrong on val")
    assert "2 of 6 pictures are named wrongly; the surest mistakes:" in said
    mistakes = re.findall(r"^- val/.*$", said, re.MULTILINE)
    assert mistakes[0] == "- val/0/002.png: labelled cat; the model says dog (0.97), cat (0.01)"
    assert mistakes[1] == "- val/2/005.png: labelled 사과; the model says cat (0.60), 사과 (0.20)"
    assert "- cat taken for dog, once (33 % of cat)" in said
    assert "| 0.8 | 4 | 67 % | 3 | 75 % |" in said
    assert "| 0.99 | 0 | 0 % | 0 | – |" in said
    assert "Labels that the model disagrees with, 1 in all" in said


def test_a_classifier_without_mistakes_says_so(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": [(name, sure(NAMES, name)) for name in NAMES]})
    said = lines_of(reported(tmp_path), "What went wrong on val")
    assert "0 of 3 pictures are named wrongly.\n" in said
    assert "taken for" not in said
    assert "3 of 3 pictures of val, all there are, are named rightly" in said


def test_data_counts_pictures_and_settings_show_the_head(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()})
    report = reported(tmp_path)
    data = lines_of(report, "Data")
    assert "| val | 6 |\n" in data
    assert "| pictures by class | val |" in data
    assert "| 사과 | 1 |" in data
    assert "no test split" in data
    assert not re.search(r"box|background", report)
    assert "| head | 256 (dropout 0.3) → 128 | – |" in lines_of(report, "Settings")


@pytest.mark.parametrize(
    ("head", "shown", "in_a_cell"),
    [
        pytest.param([], "none", "none", id="the class layer alone"),
        pytest.param([{"units": 64, "dropout": 0.0}], "64", "64", id="no dropout"),
        pytest.param([{"units": 64}], "64", "64", id="dropout left out"),
        pytest.param(
            [{"units": 256, "dropout": 0.3}, {"units": 128, "dropout": 0.25}],
            "256 (dropout 0.3) → 128 (dropout 0.25)",
            "256 (0.3); 128 (0.25)",
            id="two layers",
        ),
        pytest.param("two\nlayers", "two layers", "two layers", id="words of a run from elsewhere"),
        pytest.param(None, "–", "–", id="not told"),
    ],
)
def test_a_head_is_shown_layer_by_layer(head: object, shown: str, in_a_cell: str) -> None:
    assert layers(head) == shown
    assert plain(head) == in_a_cell


def test_losses_and_accuracies_have_first_best_and_last(tmp_path: Path) -> None:
    run = classified_run(tmp_path, 1, NAMES, {"val": six()})
    said = lines_of(reported(tmp_path), "Losses and accuracies")
    assert "| val/loss | 2.0000 | 0.7500 | 1.0000 |" in said
    assert "| val/accuracy | 0.2500 | 0.7500 | 0.6250 |" in said
    assert "| train/accuracy | 0.2500 | 0.8750 | 0.8750 |" in said
    assert "3 epochs (of 3 asked), the weights are those of epoch 2;" in said
    assert "the loss on val rose by 12 % of its highest value" in said
    assert Image.open(run.figures / "curves.png").size[0] > 800


@pytest.mark.parametrize(
    "curves",
    [
        pytest.param(None, id="no curves"),
        pytest.param(Curves({"epoch": (1.0,), "train/loss": (2.0,)}), id="one epoch, nothing of val"),
        pytest.param(Curves({"epoch": (1.0, 2.0), "val/loss": (float("nan"), float("inf"))}), id="no numbers"),
        pytest.param(Curves({"train/loss": (2.0, 1.0)}), id="without epochs"),
        pytest.param(Curves({"epoch": (1.0, 2.0), "learning_rate": (0.1, 0.1)}), id="neither loss nor accuracy"),
    ],
)
def test_curves_of_any_run_are_reported(tmp_path: Path, curves: Curves | None) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()}, curves=curves)
    assert ("## Losses" in reported(tmp_path)) == (curves is not None)


def test_100_pictures_are_drawn_by_the_seed_of_the_attempt(tmp_path: Path) -> None:
    names = [str(digit) for digit in range(10)]
    for number, seed in ((1, 0), (2, 0), (3, 7)):
        settings = {"train": {"seed": seed}}
        classified_run(tmp_path, number, names, {"val": at_random(names, 130, 0.1)}, settings=settings)
    drawn = [drawn_answers(results_of(tmp_path, number), "val") for number in (1, 2, 3)]
    assert [len(answers) for answers in drawn] == [100, 100, 100]
    assert len({answer.image for answer in drawn[0]}) == 100
    assert drawn[0] == drawn[1] != drawn[2]
    right = sum(answer.is_right for answer in drawn[0])
    assert f"{right} of 100 pictures of val, at random, are named rightly" in reported(tmp_path)


@pytest.mark.parametrize("seed", [None, -1, "seed", True, 2**70, [1]])
def test_any_seed_of_a_record_draws(tmp_path: Path, seed: object) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": six()}, settings={"train": {"seed": seed}})
    assert len(drawn_answers(results_of(tmp_path, 1), "val")) == 6


def has(file: Path, colour: tuple[int, int, int]) -> bool:
    return bool((np.asarray(Image.open(file)) == colour).all(axis=2).any())


def test_right_ones_are_titled_yellow_and_wrong_ones_red(tmp_path: Path) -> None:
    grey = np.full((28, 28, 3), 128, np.uint8)
    right, wrong = tmp_path / "right.png", tmp_path / "wrong.png"
    draw_predictions([Shown(grey, "사과", "사과")] * 11, "attempt 1", right)
    draw_predictions([Shown(grey, "사과", "배")] * 11, "attempt 1", wrong)
    assert (has(right, YELLOW), has(right, RED)) == (True, False)
    assert (has(wrong, YELLOW), has(wrong, RED)) == (False, True)
    assert Image.open(right).size[0] == 10 * 114 + 10


def test_korean_names_are_drawn_as_themselves(tmp_path: Path) -> None:
    """A font without Hangul would draw the same empty box for each."""
    for name in ("가", "나", "다"):
        draw_predictions([Shown(None, name, name)], "", tmp_path / f"{name}.png")
    assert len({(tmp_path / f"{name}.png").read_bytes() for name in "가나다"}) == 3


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param([], id="none"),
        pytest.param([Shown(None, "a", "a")], id="one that cannot be decoded"),
        pytest.param([Shown(np.zeros((1, 3000, 3), np.uint8), "a", "b")], id="very wide"),
        pytest.param([Shown(None, "n" * 5000, "m\n" * 500)], id="endless names"),
        pytest.param([Shown(None, "", " ")], id="no name"),
    ],
)
def test_any_pictures_make_a_sheet(tmp_path: Path, shown: list[Shown]) -> None:
    draw_predictions(shown, "attempt 1, val" * 30, tmp_path / "deeper" / "sheet.png")
    assert Image.open(tmp_path / "deeper" / "sheet.png").size[0] >= 420


def test_suspects_lie_sorted_by_label_and_answer_with_the_photo_they_come_from(tmp_path: Path) -> None:
    run = classified_run(tmp_path, 1, NAMES, {"val": six()})
    picture = tmp_path / "datasets/attempt-1/val/0/002.png"
    photo = SavedImage("a.png", "photos/cats/a.png", "val", sha256(picture), 28, 28, (whole("cat", 28, 28),))
    run.write_dataset([photo])
    reported(tmp_path)
    assert sorted(path.relative_to(run.suspects).as_posix() for path in run.suspects.rglob("*") if path.is_file()) == [
        "cat (says dog)/002.png",
        "suspects.csv",
    ]
    copy = run.suspects / "cat (says dog)" / "002.png"
    assert copy.read_bytes() == picture.read_bytes()
    assert not copy.samefile(picture)
    with (run.suspects / "suspects.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "picture": "cat (says dog)/002.png",
        "image": "val/0/002.png",
        "photo": "photos/cats/a.png",
        "label": "cat",
        "said": "dog",
        "probability": "0.970",
        "probability_of_label": "0.015",
    }


def test_suspects_that_somebody_sorted_stay_as_they_are(tmp_path: Path) -> None:
    run = classified_run(tmp_path, 1, NAMES, {"val": six()})
    reported(tmp_path)
    shutil.rmtree(run.suspects / "cat (says dog)")
    reported(tmp_path)
    assert [path.name for path in run.suspects.iterdir()] == ["suspects.csv"]


def test_names_of_strangers_become_neither_html_nor_paths(tmp_path: Path) -> None:
    names = (HOSTILE, "../../up", "..")
    run = classified_run(
        tmp_path, 1, names, {"val": six(names)}, settings={"head": [{"units": HOSTILE}]}, record={"title": HOSTILE}
    )
    said = reported(tmp_path)
    assert "<script" not in said
    assert "![a](" not in said
    assert "\n![" not in said.partition("## Metrics")[0]
    assert said.startswith("# Attempt 1: &lt;script&gt;")
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "datasets"}
    (folder,) = (path for path in run.suspects.iterdir() if path.is_dir())
    assert folder.name.endswith("(says .._.._up)")
    assert [path.name for path in folder.iterdir()] == ["002.png"]


def test_pictures_that_are_gone_or_broken_are_left_out(tmp_path: Path) -> None:
    run = classified_run(tmp_path, 1, NAMES, {"val": six()})
    (tmp_path / "datasets/attempt-1/val/0/000.png").unlink()
    (tmp_path / "datasets/attempt-1/val/1/003.png").write_bytes(b"no picture")
    assert "3 of 5 pictures of val, at random, are named rightly" in reported(tmp_path)
    shutil.rmtree(tmp_path / "datasets")
    shutil.rmtree(run.suspects)
    (run.figures / "predictions.png").unlink()
    assert "predictions.png" not in reported(tmp_path)
    assert not run.suspects.exists()
    assert not (run.figures / "predictions.png").exists()


def test_without_val_mistakes_are_those_of_test(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"test": six()})
    said = reported(tmp_path)
    assert "## What went wrong on test" in said
    assert "## Classes on test" in said
    assert "val" not in lines_of(said, "Metrics").partition("top1 is")[0]


def _unjudged(root: Path) -> Run:
    run = classified_run(root, 1, NAMES, {}, curves=None)
    run.scores_file.unlink()
    record = {
        "state": "finished",
        "settings": {"track": "classify"},
        "imported": {"kind": "list", "file": "list.yaml"},
        "training": {"own_metrics": {"keras/val_accuracy": 0.9473}},
    }
    run.write_record(record)
    return run


def test_a_run_from_elsewhere_is_reported_with_what_it_left(tmp_path: Path) -> None:
    _unjudged(tmp_path)
    said = reported(tmp_path)
    assert "No answers were saved" in said
    assert "`keras/val_accuracy` 0.9473" in said
    assert "## What went wrong" not in said


def test_a_split_without_pictures_is_reported(tmp_path: Path) -> None:
    classified_run(tmp_path, 1, NAMES, {"val": []})
    said = reported(tmp_path)
    assert "| top1 | – |" in said
    assert "| right of all | 0 of 0 |" in said


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    names = [str(digit) for digit in range(10)]
    run = classified_run(tmp_path, 1, names, {"val": at_random(names, 120, 0.2)}, curves=CURVES)

    def left() -> dict[str, bytes]:
        report(tmp_path, 1)
        files = [run.report_file, run.page_file, *run.figures.iterdir(), *run.suspects.rglob("*.csv")]
        return {file.name: file.read_bytes() for file in files}

    assert left() == left()


def test_a_loss_that_rises_is_said_to_rise_and_the_weights_are_those_that_were_kept(tmp_path: Path) -> None:
    """The curves call the epoch of the best accuracy the best; early stopping kept that of the lowest loss."""
    val = (0.5, 0.25, 0.75, 1.0, 1.0, 1.0)
    columns = {
        "epoch": tuple(map(float, range(1, 7))),
        "val/loss": val,
        "val/accuracy": (0.5, 0.5, 0.5, 0.5, 0.5, 0.75),
    }
    classified_run(tmp_path, 1, NAMES, {"val": six()}, curves=Curves(columns))
    said = lines_of(reported(tmp_path), "Losses and accuracies")
    assert (
        "6 epochs (of 3 asked), the weights are those of epoch 2; over the last fifth the loss on val rose by 50 % of its"
    ) in said
    assert "epoch 6" not in said
