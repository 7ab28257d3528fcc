"""What `suggest` says after an attempt, and the attempt that it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import write_yaml

from yolo_pipeline import attempt as attempts
from yolo_pipeline.advising.korean import in_korean
from yolo_pipeline.attempt_files import attempt_file
from yolo_pipeline.commands.advising import suggest as command
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.suggest import as_json, lines, suggest
from yolo_pipeline.run import run_of

MEASURED = "training ended with epoch 2, and warming up alone takes 3"


def save_run(root: Path, number: int, score: float | None) -> None:
    """A finished run of two epochs that found each of four squares with `score`, or nothing."""
    run = run_of(root, number)
    boxes = [{"image_id": n, "category_id": 1, "bbox": [5, 5, 30, 30]} for n in range(1, 5)]
    truth = {
        "images": [{"id": n, "file_name": f"images/val/{n}.png", "width": 64, "height": 64} for n in range(1, 5)],
        "categories": [{"id": 1, "name": "chicken"}],
        "annotations": [{**box, "id": n, "area": 900, "iscrowd": 0} for n, box in enumerate(boxes, start=1)],
    }
    results = [] if score is None else [{**box, "score": score} for box in boxes]
    write_json(run.truth_file("val"), truth)
    write_json(run.detections_file("val"), results)
    run.write_scores({"val": judge(truth, results)})
    columns = {"epoch": (1.0, 2.0), "val/box_loss": (2.0, 1.0), "val/mAP50": (0.1, 0.4)}
    run.write_curves(Curves(columns))
    counts = {"train": {"images": 12}, "val": {"images": 4}}
    run.write_record(
        {
            "state": "finished",
            "attempt": number,
            "settings": attempts.load(root, number).settings(),
            "data": {"names": ["chicken"], "counts": counts},
            "training": {"used": {"imgsz": 64}},
        }
    )


@pytest.fixture
def blind(project: Path) -> Path:
    """The project with attempt 1 trained for hardly any epochs: it detects nothing."""
    save_run(project, 1, None)
    return project


@pytest.fixture
def perfect(project: Path) -> Path:
    """The project with attempt 1 trained: it finds everything."""
    save_run(project, 1, 0.9)
    return project


def attempt_files(project: Path) -> list[str]:
    return sorted(file.name for file in (project / "attempts").iterdir())


def test_the_next_free_attempt_holds_the_changes_and_their_reasons(blind: Path) -> None:
    found = suggest(blind, 1)
    assert found.file == blind / "attempts" / "4.yaml"
    assert found.file.read_text(encoding="utf-8") == (
        'title: "hardly any epochs"\n'
        "base: 1\n"
        "train:\n"
        "  # hardly any epochs: training ended with epoch 2, and warming up alone takes 3. Train 100 epochs;\n"
        "  # patience ends it earlier when nothing more is gained.\n"
        "  epochs: 100\n"
    )
    assert attempts.load(blind, 4).changed == (("train.epochs", 1, 100),)


def test_what_is_printed_is_measured_cause_remedy_source_and_changes(blind: Path) -> None:
    found = suggest(blind, 1)
    assert list(lines(found)) == [
        f"1. hardly any epochs: {MEASURED}",
        "   cause: It ended before it had learnt what the pictures hold",
        "   next: Train 100 epochs; patience ends it earlier when nothing more is gained",
        "   settings: train: {epochs: 100}",
        "   source: Ultralytics, Tips for Best Training Results: start with 300 epochs; if they do not overfit, train longer",
        f"wrote {(blind / 'attempts' / '4.yaml').as_posix()}",
    ]


def test_json_is_one_document(blind: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(1, project=blind, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == (blind / "attempts" / "4.yaml").as_posix()
    assert [(advice["rule"], advice["measured"], advice["changes"]) for advice in said["advice"]] == [
        ("hardly any epochs", MEASURED, [["train.epochs", 100]])
    ]


def test_korean(blind: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(1, lang="ko", project=blind)
    assert "epochs를 늘리세요 (100 에포크)" in capsys.readouterr().out
    comment = [
        line.strip() for line in (blind / "attempts/4.yaml").read_text(encoding="utf-8").splitlines() if "#" in line
    ]
    assert "데이터에서" not in " ".join(comment)  # the cause is printed alone
    assert " ".join(line.removeprefix("# ") for line in comment).startswith(
        "hardly any epochs: 2 에포크 만에 학습이 끝났습니다"
    )
    assert attempts.load(blind, 4).train["epochs"] == 100


def test_a_good_attempt_gets_nothing_found(perfect: Path) -> None:
    found = suggest(perfect, 1)
    assert (found.advice, found.file, found.said) == ((), None, ("nothing found",))
    assert attempt_files(perfect) == ["1.yaml", "2.yaml", "3.yaml"]


def test_what_is_there_already_is_not_written_twice(blind: Path) -> None:
    suggest(blind, 1)
    again = suggest(blind, 1)
    assert (again.file, again.said) == (None, ("attempts/4.yaml says the same already",))
    assert len(attempt_files(blind)) == 4


def test_an_attempt_that_the_user_wrote_is_not_written_over(blind: Path) -> None:
    mine = write_yaml(blind / "attempts/4.yaml", {"base": 1, "title": "mine"}).read_bytes()
    assert suggest(blind, 1).file == blind / "attempts" / "5.yaml"
    assert (blind / "attempts/4.yaml").read_bytes() == mine


def test_a_number_that_only_a_run_bears_is_not_free(blind: Path) -> None:
    write_yaml(blind / "attempts/7.yaml", {"base": 1})
    save_run(blind, 7, None)
    (blind / "attempts/7.yaml").unlink()
    assert suggest(blind, 1).file == blind / "attempts" / "8.yaml"


def test_another_confidence_alone_is_no_new_attempt(project: Path) -> None:
    settings = attempt_file(project, 1)
    settings.write_text(settings.read_text(encoding="utf-8") + "detect: {conf: 0.95}\n", encoding="utf-8")
    save_run(project, 1, 0.9)
    found = suggest(project, 1)
    assert [advice.rule for advice in found.advice] == ["confidence"]
    assert found.said == ("no attempt was written: it would train the same again. Mend detect.conf where it is said",)
    assert len(attempt_files(project)) == 3


def test_another_confidence_comes_along_with_other_changes(blind: Path) -> None:
    def both(advice: Advice) -> Advice:
        return replace(advice, changes=(*advice.changes, ("detect.conf", None)))

    settings = attempt_file(blind, 1)
    settings.write_text(settings.read_text(encoding="utf-8") + "detect: {conf: 0.95}\n", encoding="utf-8")
    found = suggest(blind, 1, both)
    assert attempts.load(blind, 4).changed == (("detect", {"conf": 0.95}, None), ("train.epochs", 1, 100))
    assert found.file is not None
    assert found.file.read_text(encoding="utf-8").endswith("  epochs: 100\ndetect:\n  conf: null\n")


def by_hand(advice: Advice) -> Advice:
    return replace(advice, changes=(), images=("a.jpg", "b.jpg"))


def test_work_by_hand_alone_is_no_new_attempt(blind: Path) -> None:
    found = suggest(blind, 1, by_hand)
    assert found.said == ("no attempt was written: what is advised is work by hand",)
    assert list(lines(found))[3:6] == [
        "   pictures: a.jpg, b.jpg",
        "   settings: none: this is work by hand",
        f"   source: {found.advice[0].source}",
    ]
    assert as_json(found)["file"] is None
    assert len(attempt_files(blind)) == 3


@pytest.mark.parametrize(
    ("changes", "said", "kept"),
    [
        pytest.param((("train.epochs", 50), ("train.epochs", 60)), "hardly any epochs: train.epochs: 60 is left out, as train.epochs is changed already", {"train.epochs"}, id="the same key"),
        pytest.param((("train.epochs", 50), ("train", None)), "hardly any epochs: train: null is left out, as train.epochs is changed already", {"train.epochs"}, id="the mapping around it"),
        pytest.param((("data.augment", None), ("data.augment.flip", None), ("train.epochs", 50)), "hardly any epochs: data.augment.flip: null is left out, as data.augment is changed already", {"train.epochs"}, id="a key inside"),
    ],
)  # fmt: skip
def test_what_contradicts_an_earlier_change_is_left_out(
    blind: Path, changes: tuple[tuple[str, object], ...], said: str, kept: set[str]
) -> None:
    found = suggest(blind, 1, lambda advice: replace(advice, changes=changes))
    assert found.said == (said,)
    assert {key for key, _, _ in attempts.load(blind, 4).changed} == kept


def test_a_change_that_an_attempt_does_not_take_is_left_out(blind: Path) -> None:
    found = suggest(blind, 1, lambda advice: replace(advice, changes=(("train.epoochs", 5),)))
    assert found.file is None
    assert found.said[0] == "hardly any epochs: train.epoochs is left out: is no training setting of Ultralytics"
    assert len(attempt_files(blind)) == 3


def test_hostile_words_stay_in_their_comments(blind: Path) -> None:
    def hostile(advice: Advice) -> Advice:
        return replace(advice, rule="x\nbase: 3", measured="a\r\nmodel: evil.pt\u2028track: other", images=("\nb: 1",))

    suggest(blind, 1, hostile)
    written = attempts.load(blind, 4)
    assert (written.base, written.model, written.changed) == (1, "yolov8n", (("train.epochs", 1, 100),))


def test_an_attempt_without_its_file_is_only_advised(blind: Path) -> None:
    (blind / "attempts/1.yaml").unlink()
    found = suggest(blind, 1)
    assert [advice.rule for advice in found.advice] == ["hardly any epochs"]
    assert found.said == ("attempts/1.yaml is not there: no attempt can build on it",)
    assert attempt_files(blind) == ["2.yaml", "3.yaml"]


def test_an_attempt_that_was_not_trained_is_refused(project: Path) -> None:
    with pytest.raises(InputError, match=r"attempt-2: is not there \(finished: none\)"):
        suggest(project, 2)


def test_korean_advice_keeps_its_changes(blind: Path) -> None:
    assert [advice.changes for advice in suggest(blind, 1, in_korean).advice] == [(("train.epochs", 100),)]
