"""Results that somebody wrote down: YAML lists and CSV tables, and the published history in docs/."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.errors import FinishedError, InputError, PipelineError, UsageError
from yolo_pipeline.recipes.import_run import Imported, import_run
from yolo_pipeline.run import Run, finished_runs, run_of

HISTORY = Path(__file__).parents[2] / "docs" / "history"

FOOD = """\
- attempt: 3
  images: {train: 10, valid: 2, test: 1}
  classes: 14
  training: {model: yolov5x, imgsz: 150, batch: 4, epochs: 150}
  metrics: {map50: 0.5, map50_95: 0.25}
  problems: [닭고기 taken for pork, boxes vanish]
  causes: [vague boxes]
  next: fewer classes
- attempt: 4
  base: 3
  changed: [classes 14 to 2]
  classes: [양파, "no"]
  training: {model: yolov5x, imgsz: 320, batch: 4, epochs: 150}
  metrics: {map50: 0.625, map50_95: 0.375}
  detection: {conf: 0.4}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def one(found: list[Imported]) -> tuple[Run, dict[str, Any]]:
    (entry,) = found
    return entry.run, entry.run.record


def written(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


def nothing_written(root: Path) -> bool:
    return not (root / "runs").exists() or not list((root / "runs").iterdir())


class TestLists:
    def test_what_was_told_is_kept_and_what_differs_is_found(self, root: Path, tmp_path: Path) -> None:
        first, second = import_run(root, written(tmp_path / "food.yaml", FOOD), None)
        record = first.run.record
        assert record["settings"] == {
            "attempt": 3, "title": "", "base": None, "track": "yolo", "model": "yolov5x", "pretrained": None,
            "data": {"number_of_classes": 14}, "train": {"batch": 4, "epochs": 150, "imgsz": 150},
            "notes": "Problems: 닭고기 taken for pork; boxes vanish. Causes: vague boxes. Next: fewer classes.",
        } | {"title": record["title"]}  # fmt: skip
        assert record["told"] == {
            "problems": ["닭고기 taken for pork", "boxes vanish"], "causes": ["vague boxes"], "next": ["fewer classes"],
        }  # fmt: skip
        assert record["data"] == {
            "names": [],
            "counts": {"train": {"images": 10}, "val": {"images": 2}, "test": {"images": 1}},
        }
        assert record["training"]["own_metrics"] == {"reported/mAP50": 0.5, "reported/mAP50_95": 0.25}
        assert first.run.read_scores() == {}
        assert not first.run.curves_file.exists()
        record = second.run.record
        assert record["settings"]["base"] == 3
        assert record["settings"]["detect"] == {"conf": 0.4}
        assert record["data"]["names"] == ["양파", "no"]
        assert record["changed"] == [
            {"key": "as told", "before": None, "after": "classes 14 to 2"},
            {"key": "data.number_of_classes", "before": 14, "after": 2},
            {"key": "train.imgsz", "before": 150, "after": 320},
        ]

    def test_a_number_for_the_first_moves_all_and_their_bases(self, root: Path, tmp_path: Path) -> None:
        found = import_run(root, written(tmp_path / "food.yaml", FOOD), 11)
        assert [(entry.number, entry.run.record["settings"]["base"]) for entry in found] == [(11, None), (12, 11)]
        assert [number for number, _ in finished_runs(root)] == [11, 12]

    def test_a_table(self, root: Path, tmp_path: Path) -> None:
        text = "group,model,steps,map50,map50_95,settings\n묶음,ssd_x,2000,0.5,,batch=20;aspect_ratio=3.0/0.3;lr_base=0.02\n"
        _, record = one(import_run(root, written(tmp_path / "t.csv", text), 1))
        assert record["title"] == "묶음, row 1"
        assert record["settings"]["track"] == "tfapi"
        assert record["settings"]["train"] == {"aspect_ratio": "3.0/0.3", "batch": 20, "lr_base": 0.02, "steps": 2000}
        assert record["training"]["own_metrics"] == {"reported/mAP50": 0.5}

    @pytest.mark.parametrize(
        ("metrics", "odd"),
        [
            pytest.param(
                {"map50": 0.779, "map50_95": 0.779}, "entry 1: mAP50_95 0.779 is as high as mAP50", id="equal"
            ),
            pytest.param({"map50": 0.5, "map50_95": 0.6}, "entry 1: mAP50_95 0.6 is higher than mAP50", id="higher"),
            pytest.param({"map50": 76.5}, "entry 1: mAP50 76.5 is no share of 1", id="percent"),
            pytest.param({"f1": -0.5}, "entry 1: f1 -0.5 is no share of 1", id="negative"),
        ],
    )
    def test_odd_figures_are_taken_as_they_are_and_said(
        self, root: Path, tmp_path: Path, metrics: dict[str, float], odd: str
    ) -> None:
        (entry,) = import_run(root, written(tmp_path / "a.yaml", [{"attempt": 1, "metrics": metrics}]), None)
        assert entry.notes == (f"figures that look odd are taken as they are ({odd})",)
        assert list(entry.run.record["training"]["own_metrics"].values()) == list(metrics.values())

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("", "is no list of attempts", id="empty"),
            pytest.param("[]", "holds 0 attempts", id="no attempt"),
            pytest.param("{attempt: 1}", "is no list of attempts", id="a mapping"),
            pytest.param("[1]", "entry 1: is 1, no mapping", id="a number"),
            pytest.param("- attempt: 1\n", "entry 1: metrics: is missing", id="no metrics"),
            pytest.param(
                "- {attempt: 1, metrics: {map_50: 0.5}}",
                "entry 1: metrics.map_50: no such key. Did you mean map50",
                id="misspelt metric",
            ),
            pytest.param(
                "- {attempt: 1, metrics: {}, trainning: {}}",
                "entry 1: trainning: no such key. Did you mean training",
                id="misspelt key",
            ),
            pytest.param(
                "- {attempt: 1, metrics: {}, training: {epoch: 3}}",
                "entry 1: training.epoch: no such key. Did you mean epochs",
                id="misspelt setting",
            ),
            pytest.param("- {attempt: 1, metrics: {}, images: {valid: 3, val: 4}}", "no such key", id="val and valid"),
            pytest.param("- {attempt: 1, metrics: {map50: high}}", "entry 1: metrics.map50: is 'high'", id="a word"),
            pytest.param("- {attempt: 1, metrics: {map50: .nan}}", "entry 1: metrics.map50: is nan", id="nan"),
            pytest.param("- {attempt: 1, metrics: {map50: .inf}}", "entry 1: metrics.map50: is inf", id="inf"),
            pytest.param(
                "- {attempt: 1, metrics: {map50: true}}", "entry 1: metrics.map50: is True", id="a truth value"
            ),
            pytest.param("- {attempt: 0, metrics: {}}", "entry 1: attempt: is 0", id="attempt 0"),
            pytest.param("- {attempt: 99999999999999, metrics: {}}", "entry 1: attempt: is 9999", id="huge attempt"),
            pytest.param(
                "- {attempt: 1, metrics: {}}\n- {attempt: 1, metrics: {}}", "attempt 1 stands there twice", id="twice"
            ),
            pytest.param(
                "- {attempt: 1, base: 7, metrics: {}}", "entry 1: base: there is no attempt 7 in it", id="no such base"
            ),
            pytest.param(
                "- {attempt: 1, metrics: {}, augmentation: {when: 2020-01-01}}",
                "entry 1: augmentation.when",
                id="a date",
            ),
            pytest.param(
                "- {attempt: 1, metrics: {}, augmentation: {a: {b: {c: 1}}}}", "entry 1: augmentation.a", id="nested"
            ),
            pytest.param(
                "- {attempt: 1, metrics: {}, training: {batch: 4, settings: {batch: 5}}}",
                "says batch, which stands beside it",
                id="batch twice",
            ),
            pytest.param("- &a [*a]", "holds more than 100000 values, or one inside itself", id="inside itself"),
            pytest.param(
                "- &a [1,1,1,1,1,1,1,1,1,1]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n- &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n- [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]",
                "holds more than 100000 values",
                id="a bomb",
            ),
            pytest.param("a: [", "cannot be read", id="no YAML"),
            pytest.param("[" * 1500, "cannot be read", id="deep"),
        ],
    )
    def test_what_is_refused(self, root: Path, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(InputError) as refused:
            import_run(root, written(tmp_path / "list.yaml", text), None)
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)
        assert nothing_written(root)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param(
                "map50,mpa50_95\n0.5,0.4\n", "mpa50_95: no such column. Did you mean map50_95", id="misspelt column"
            ),
            pytest.param("map50,map50\n0.5,0.4\n", "has a column twice", id="column twice"),
            pytest.param("map50\n0.5,0.4\n", "entry 1: has 2 columns, the header 1", id="a cell more"),
            pytest.param("map50\n", "holds 0 attempts", id="header alone"),
            pytest.param("map50\n0.5x\n", "entry 1: metrics.map50: is '0.5x'", id="no number"),
            pytest.param("map50\nnan\n", "entry 1: metrics.map50: is 'nan'", id="nan"),
            pytest.param("map50,settings\n0.5,batch\n", "entry 1: settings: has 'batch'", id="no value"),
            pytest.param("map50,settings\n0.5,a=1;a=2\n", "entry 1: settings: has 'a=2'", id="setting twice"),
            pytest.param('map50\n"0.5\n', "cannot be read", id="open quote"),
        ],
    )
    def test_what_is_refused_of_a_table(self, root: Path, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(InputError) as refused:
            import_run(root, written(tmp_path / "list.csv", text), 1)
        assert said in str(refused.value)
        assert nothing_written(root)

    def test_one_number_that_is_taken_stops_all(self, root: Path, tmp_path: Path) -> None:
        run_of(root, 4).folder.mkdir(parents=True)
        with pytest.raises(
            FinishedError, match=r"attempt-4: is there and is never overwritten\. Give the first of them a free number"
        ):
            import_run(root, written(tmp_path / "food.yaml", FOOD), None)
        assert not run_of(root, 3).folder.exists()

    def test_a_list_takes_no_title_and_needs_numbers(self, root: Path, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--title names one run"):
            import_run(root, written(tmp_path / "food.yaml", FOOD), None, title="x")
        with pytest.raises(UsageError, match="say --attempt N for the first"):
            import_run(root, written(tmp_path / "t.csv", "map50\n0.5\n"), None)
        assert nothing_written(root)

    @settings(max_examples=80, deadline=None)
    @given(
        st.text(alphabet="-{}[]:,&*! \nattempmetrics0159.\"'\u00e9\U0001f600", max_size=40), st.integers(0, len(FOOD))
    )
    def test_no_text_ends_in_another_error(self, noise: str, at: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            assert ends(root, written(root / "list.yaml", FOOD[:at] + noise + FOOD[at:])) != ""


def ends(root: Path, file: Path) -> str:
    try:
        return f"{len(import_run(root, file, 1))} runs"
    except PipelineError as error:
        return str(error)


class TestTheHistory:
    def test_the_five_food_attempts(self, root: Path) -> None:
        found = import_run(root, HISTORY / "food_attempts.yaml", None)
        figures = [entry.run.record["training"]["own_metrics"].get("reported/mAP50_95") for entry in found]
        assert figures == [None, 0.37978, 0.28964, 0.33224, 0.44637]
        assert [entry.run.record["data"]["counts"]["train"]["images"] for entry in found] == [
            207,
            4200,
            989,
            1074,
            2000,
        ]
        assert "train.imgsz" in {change["key"] for change in found[2].run.record["changed"]}

    def test_the_72_tooth_attempts(self, root: Path) -> None:
        found = import_run(root, HISTORY / "tooth_attempts.csv", 101)
        assert [entry.number for entry in found] == list(range(101, 173))
        metrics = [entry.run.record["training"]["own_metrics"] for entry in found]
        assert sum(len(figures) == 2 for figures in metrics) == 68
        assert sum("reported/mAP50" in figures for figures in metrics) == 69
        assert sum("reported/mAP50_95" in figures for figures in metrics) == 71
        assert max(figures.get("reported/mAP50_95", 0) for figures in metrics[:1] + metrics[2:]) == 0.748
        assert found[0].notes == (
            "figures that look odd are taken as they are (entry 2: mAP50_95 0.779 is as high as mAP50)",
        )
        with open(HISTORY / "tooth_attempts.csv", encoding="utf-8") as lines:
            steps = [int(row["steps"]) for row in csv.DictReader(lines)]
        assert [entry.run.record["settings"]["train"]["steps"] for entry in found] == steps

    def test_the_other_results(self, root: Path) -> None:
        found = import_run(root, HISTORY / "other_results.yaml", None)
        assert len(found) == 6
        assert found[0].run.record["seconds"] == {"train": 123480.0}
        assert found[2].run.record["changed"] == [{"key": "train.dropout", "before": False, "after": True}]
