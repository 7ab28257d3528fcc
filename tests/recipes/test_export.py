"""A really trained attempt in other formats: what each export holds, that it was tried, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import Ended, FakeTrack, find_squares, write_yaml
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.asking import Asking
from yolo_pipeline.decoding import Pixels, decode
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.files import read_json
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Detection, Truth
from yolo_pipeline.recipes import bundle as bundle_recipe
from yolo_pipeline.recipes.export import export
from yolo_pipeline.recipes.export_check import check_pictures
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of
from yolo_pipeline.runtimes import installed
from yolo_pipeline.tracks.yolo import track as yolo
from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

HOSTILE = "a|b <img src=x> [x](javascript:x) `c` 닭"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose attempt 1 was trained for an epoch on 20 pictures, none of them square; one name is hostile."""
    root = tmp_path_factory.mktemp("trained") / "project"
    raw = root / "datasets" / "raw" / "pictures"
    raw.mkdir(parents=True)
    for number in range(20):
        rng = np.random.default_rng(number)
        pixels = rng.integers(170, 230, size=(48, 96, 3), dtype=np.uint8)
        label, colour = ((HOSTILE, (200, 30, 30)), ("onion", (30, 30, 200)))[number % 2]
        x, y = (int(value) for value in rng.integers(1, 20, size=2))
        pixels[y : y + 24, x : x + 24] = colour
        picture = raw / f"photo_{number:03}.png"
        Image.fromarray(pixels).save(picture)
        truth = Truth(Box(x, y, x + 24, y + 24), label)
        picture.with_suffix(".xml").write_text(annotation_xml([truth], picture, 96, 48, origin=0), encoding="utf-8")
    write_yaml(root / "data.yaml", {"sources": [{"path": str(raw), "format": "labelimg"}]})
    settings = {
        "title": "first | [x](y)",
        "model": "yolov8n",
        "pretrained": False,
        "data": {"split": {"train": 0.6, "val": 0.2, "test": 0.2}},
        "train": {"imgsz": 96, "batch": 4, "epochs": 1},
        "notes": f"kept in {raw}, see ~/notes.txt",
    }
    write_yaml(root / "attempts" / "1.yaml", settings)
    run = train(root, 1)
    weights = run.training / "weights" / "best.pt"
    _let_it_see(weights, [decode(file) for file in sorted(raw.glob("*.png"))])
    record = run.record
    run.write_record({**record, "training": {**record["training"], "sha256": images.sha256(weights)}})
    return root


def _let_it_see(weights: Path, pictures: list[Pixels]) -> None:
    """Fits the normalisation to the pictures, and spreads the scores, but not so far that many are 1.

    After an epoch a network says the same of every picture, so that all exports would agree. Training until it finds
    something would take minutes; this finds many boxes, wrong ones, which serve as well.
    """
    import torch
    from ultralytics.nn.tasks import torch_safe_load

    checkpoint, _ = torch_safe_load(str(weights))
    network = checkpoint["model"].float().train()
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of what it sees
    shown = np.stack([np.pad(picture[..., ::-1], ((0, 16), (0, 0), (0, 0))) for picture in pictures])
    with torch.no_grad():
        network(torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255)
    for layer in layers:
        layer.momentum = 0.03
    for scores in network.model[-1].cv3:
        scores[-1].weight.data *= 2.5
    torch.save({**checkpoint, "model": network.eval().half()}, weights)


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """The same project, to be damaged."""
    root = shutil.copytree(trained, tmp_path / "project")
    shutil.rmtree(run_of(root, 1).exports, ignore_errors=True)
    return root


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All networks but TensorFlow Lite's, where they go by themselves."""
    export(trained, 1, ["onnx", "openvino", "torchscript"])
    return run_of(trained, 1).exports


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "files"),
    [
        pytest.param("onnx", {"attempt-1.onnx"}, id="onnx"),
        pytest.param("torchscript", {"attempt-1.torchscript"}, id="torchscript"),
        pytest.param(
            "openvino",
            {f"attempt-1_openvino_model/{name}" for name in ("attempt-1.xml", "attempt-1.bin", "metadata.yaml")},
            id="openvino",
        ),
    ],
)
def test_a_network_lies_with_a_card_of_what_was_checked(exported: Path, target: str, files: set[str]) -> None:
    card = read_json(exported / target / "export.json")
    assert {file.relative_to(exported / target).as_posix() for file in (exported / target).rglob("*.*")} >= files
    assert set(card["sha256"]) == files
    assert card["names"] == [HOSTILE, "onion"]
    assert card["imgsz"] == 96
    checked = card["agreement"]
    assert checked["pictures"] == len(set(checked["on"])) == 8  # four of test and, as these are all, four of val
    assert checked["compared"] >= 10
    assert checked["conf"] == 0.25
    assert checked["least_iou"] > 0.99
    assert checked["score_difference"] < 0.001


@pytest.mark.slow
def test_the_onnx_file_says_nothing_of_this_disk_and_takes_rectangles(exported: Path, trained: Path) -> None:
    import onnxruntime

    file = exported / "onnx" / "attempt-1.onnx"
    assert str(trained).encode() not in file.read_bytes()
    network = onnxruntime.InferenceSession(file)
    name = network.get_inputs()[0].name
    assert network.run(None, {name: np.zeros((1, 3, 64, 96), np.float32)})[0].shape == (1, 6, 126)


@pytest.mark.slow
def test_an_export_that_is_there_is_kept_and_another_is_refused(
    exported: Path, trained: Path, cli: Callable[..., Ended], tmp_path: Path
) -> None:
    asked = ("export", "--attempt", 1, "--to", "onnx", "--project", trained, "--out", tmp_path)
    shutil.copytree(exported / "onnx", tmp_path / "onnx")
    before = (tmp_path / "onnx" / "attempt-1.onnx").read_bytes()
    again = cli(*asked, "--json")
    assert again.code == 0, again.err
    assert [one["kept"] for one in json.loads(again.out)["exports"]] == [True]
    assert "onnx: " in again.err
    assert "is there already" in again.err
    other = cli(*asked, "--imgsz", 64)
    assert other.code == 3
    assert "was exported from other weights or at another imgsz" in other.err
    assert "--out, or add --again" in other.err
    assert (tmp_path / "onnx" / "attempt-1.onnx").read_bytes() == before
    anew = cli(*asked, "--imgsz", 64, "--again")
    assert anew.code == 0, anew.err
    assert (tmp_path / "onnx.1" / "attempt-1.onnx").read_bytes() == before
    assert read_json(tmp_path / "onnx" / "export.json")["imgsz"] == 64
    (tmp_path / "onnx" / "attempt-1.onnx").write_bytes(b"touched")
    assert "was changed since" in cli(*asked, "--imgsz", 64).err
    (tmp_path / "onnx" / "export.json").write_text('{"target": "onnx", "file": 5}', encoding="utf-8")
    assert "holds something else" in cli(*asked).err
    (tmp_path / "onnx" / "export.json").unlink()
    assert "holds something else" in cli(*asked).err


@dataclass
class _Swapping:
    """The YOLO track, but what it exports are other weights."""

    other: Path

    def __getattr__(self, name: str) -> Any:
        return getattr(yolo.track, name)

    def export(self, weights: Path, target: str, folder: Path, *rest: Any) -> Path:
        return yolo.track.export(self.other, target, folder, *rest)


@pytest.mark.slow
def test_an_export_that_finds_something_else_fails_and_leaves_nothing(trained: Path, tmp_path: Path) -> None:
    import torch
    from ultralytics.nn.tasks import torch_safe_load

    checkpoint, _ = torch_safe_load(str(run_of(trained, 1).training / "weights" / "best.pt"))
    for scores in checkpoint["model"].model[-1].cv3:
        scores[-1].bias.data += 0.5
    torch.save(checkpoint, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"^other\.onnx: does not find what best\.pt finds: on photo_\d+\.png ") as e:
        export(trained, 1, ["onnx"], out=tmp_path / "out", track=_Swapping(tmp_path / "other.pt"))  # type: ignore[arg-type]
    assert "Nothing of it was kept" in str(e.value)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def bundle(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (done,) = export(trained, 1, ["bundle"], out=tmp_path_factory.mktemp("bundled"))
    assert done.path.name == "attempt-1.tar.gz"
    return done.path


def unpacked(bundle: Path, folder: Path) -> Path:
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    return folder / "attempt-1"


@pytest.mark.slow
def test_a_bundle_says_nothing_of_when_where_and_by_whom_it_was_made(bundle: Path, trained: Path) -> None:
    assert bundle.read_bytes()[4:10] == b"\0\0\0\0\2\xff"  # no time, no name behind
    with tarfile.open(bundle) as archive:
        entries = archive.getmembers()
        contents = {entry.name: archive.extractfile(entry).read() for entry in entries}  # type: ignore[union-attr]
    names = ["README.md", "best.pt", "example.py", "names.json", "scores.json", "settings.yaml"]
    assert [entry.name for entry in entries] == [f"attempt-1/{name}" for name in names]
    assert {(e.mtime, e.uid, e.gid, e.uname, e.gname, e.mode) for e in entries} == {(0, 0, 0, "", "", 0o644)}
    for name, content in contents.items():
        assert str(trained.parent).encode() not in content, name
        assert b"~/" not in content or name == "attempt-1/best.pt", name
    assert str(trained.parent).encode() in (run_of(trained, 1).training / "weights" / "best.pt").read_bytes()


@pytest.mark.slow
def test_the_same_run_gives_the_same_bundle_in_another_process(bundle: Path, trained: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from yolo_pipeline.recipes.export import export;"
        "root, out = map(Path, sys.argv[1:]); export(root, 1, ['bundle'], out=out)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(trained), str(tmp_path)], check=True, env=environment)
    assert (tmp_path / "bundle" / bundle.name).read_bytes() == bundle.read_bytes()


@pytest.mark.slow
def test_the_example_runs_where_there_is_no_yolo_pipeline(bundle: Path, trained: Path, tmp_path: Path) -> None:
    folder = unpacked(bundle, tmp_path)
    settings = yaml.safe_load((folder / "settings.yaml").read_text(encoding="utf-8"))
    write_yaml(folder / "settings.yaml", {**settings, "conf": 0.25})
    assert len((folder / "example.py").read_text(encoding="utf-8").splitlines()) < 35
    picture = tmp_path / "사진 *.png"
    shutil.copyfile(trained / "datasets/raw/pictures/photo_001.png", picture)
    (folder / "yolo_pipeline.py").write_text("raise ImportError", encoding="utf-8")
    kept = {"YOLO_OFFLINE": "1", "YOLO_CONFIG_DIR": str(tmp_path / "settings"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "example.py", str(picture)],
        cwd=folder, env={**os.environ, **kept}, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    weights = run_of(trained, 1).training / "weights" / "best.pt"
    (found,) = yolo.track.open(weights, Asking(imgsz=96, conf=0.25, device="cpu"))([decode(picture)])
    assert len(rows) == len(found) > 0
    assert {row["picture"] for row in rows} == {str(picture)}
    assert [row["class"] for row in rows] == [one.label for one in found]
    assert [row["score"] for row in rows] == pytest.approx([one.score for one in found], abs=2e-4)


@pytest.mark.slow
def test_the_example_names_what_it_cannot_read_and_goes_on(tmp_path: Path) -> None:
    shutil.copyfile(Path(bundle_recipe.__file__).with_name("bundled_example.py"), tmp_path / "example.py")
    random = quiet_ultralytics().YOLO("yolov8n.yaml")
    for branch in random.model.model[-1].cv3:
        branch[-1].bias.data[:] = -1.0
    random.save(tmp_path / "best.pt")
    (tmp_path / "names.json").write_text(json.dumps([f"닭 {number}" for number in range(80)]))
    write_yaml(tmp_path / "settings.yaml", {"imgsz": 64, "conf": 0.2, "iou": 0.7, "max_det": 1})
    (tmp_path / "empty.jpg").touch()
    Image.new("RGB", (64, 48)).save(tmp_path / "사진.png")
    environment = {**os.environ, "YOLO_OFFLINE": "1", "YOLO_CONFIG_DIR": str(tmp_path / "settings"), "PYTHONUTF8": "1"}

    def example(*pictures: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "example.py", *pictures]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8")

    done = example("none.jpg", "empty.jpg", "names.json", ".", "사진.png")
    unread = [line for line in done.stderr.splitlines() if "cannot be read as a picture" in line]
    assert [line.split(":")[0] for line in unread] == ["none.jpg", "empty.jpg", "names.json", "."]
    assert "Traceback" not in done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [row["picture"] for row in rows] == ["사진.png"]
    assert done.returncode == 1
    alone = example()
    assert alone.returncode == 2
    assert alone.stderr.startswith("Detect on pictures: python example.py PICTURE ...")


@pytest.mark.slow
def test_settings_and_card_of_a_bundle(bundle: Path, trained: Path, tmp_path: Path) -> None:
    folder = unpacked(bundle, tmp_path)
    settings = yaml.safe_load((folder / "settings.yaml").read_text(encoding="utf-8"))
    run = run_of(trained, 1)
    assert (settings["imgsz"], settings["iou"], settings["max_det"]) == (96, 0.7, 300)
    assert settings["conf"] == run.read_scores()["val"].conf
    assert settings["attempt"]["data"]["sources"] == [{"path": "pictures", "format": "labelimg"}]
    assert settings["attempt"]["notes"] == "kept in pictures, see notes.txt"
    assert read_json(folder / "names.json") == [HOSTILE, "onion"]
    assert read_json(folder / "scores.json") == read_json(run.scores_file)
    card = (folder / "README.md").read_text(encoding="utf-8")
    for said in (
        r"# Attempt 1: first \| \[x](y)",
        r"| a\|b &lt;img src=x&gt; \[x](javascript:x) `c` 닭 | 6 | 2 | 2 |",
        "| train | 12 | 12 | 0 |",
        "It was trained on 12 images",
        "AGPL-3.0",
        f"| weights | sha256 {images.sha256(folder / 'best.pt')} |",
        f"| weights as trained | sha256 {run.record['training']['sha256']} |",
        "| ultralytics | ",
    ):
        assert said in card
    assert "<img" not in card.replace("`a|b <img src=x> [x](javascript:x) 'c' 닭`", "")


@pytest.mark.slow
def test_tensorflow_lite(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("litert_torch", reason="litert_torch is not installed (the extra tflite)")
    (done,) = export(trained, 1, ["tflite"], out=tmp_path)
    assert done.path == tmp_path / "tflite" / "attempt-1.tflite"
    assert done.card["agreement"]["compared"] >= 10


@pytest.mark.skipif(installed("litert_torch"), reason="litert_torch is installed")
def test_a_missing_package_is_named_before_any_work(copied: Path, cli: Callable[..., Ended]) -> None:
    ended = cli("export", "--attempt", 1, "--to", "bundle,tflite", "--project", copied)
    assert ended.code == 3
    assert ended.err.strip().startswith("error: --to tflite: needs litert_torch")
    assert ended.err.strip().endswith('Type: python -m pip install "yolo_pipeline[tflite]"')
    assert not run_of(copied, 1).exports.exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        pytest.param(
            ("--to", "coreml"), 2, "--to coreml: there are onnx, openvino, tflite, torchscript, bundle", id="unknown"
        ),
        pytest.param(("--to", " , "), 2, "--to: name at least one of onnx", id="none"),
        pytest.param(("--to", "onnx", "--imgsz", 50), 2, "--imgsz 50: write a multiple of 32", id="imgsz"),
        pytest.param(("--to", "onnx", "--imgsz", -32), 2, "--imgsz -32: write a multiple of 32", id="negative imgsz"),
    ],
)
def test_a_wrong_command_line(
    copied: Path, cli: Callable[..., Ended], options: tuple[object, ...], code: int, said: str
) -> None:
    ended = cli("export", "--attempt", 1, "--project", copied, *options)
    assert ended.code == code
    assert said in ended.err


def _not_trained(project: Path) -> None:
    shutil.rmtree(project / "runs")


def _other_weights(project: Path) -> None:
    (run_of(project, 1).training / "weights" / "best.pt").write_bytes(b"other")


def _weights_gone(project: Path) -> None:
    (run_of(project, 1).training / "weights" / "best.pt").unlink()


def _made_elsewhere(project: Path) -> None:
    run = run_of(project, 1)
    training = {"used": {}, "own_metrics": {}}
    run.write_record({**run.record, "imported": {"kind": "coco", "file": "x.json"}, "training": training})


def _pictures_gone(project: Path) -> None:
    shutil.rmtree(project / "datasets" / "attempt-1")


def _no_data_told(project: Path) -> None:
    run = run_of(project, 1)
    run.write_record({**run.record, "data": {"folder": 7}})


def _broken_pictures(project: Path) -> None:
    for file in (project / "datasets" / "attempt-1" / "images").rglob("*.png"):
        file.unlink()
        file.touch()


@pytest.mark.parametrize("target", ["onnx", "bundle"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(_not_trained, "is not there (finished: none)", id="not trained"),
        pytest.param(_other_weights, "best.pt: is not the file that was judged", id="other weights"),
        pytest.param(_weights_gone, "best.pt: is gone", id="no weights"),
        pytest.param(_made_elsewhere, "has no weights: it was made elsewhere", id="imported"),
        pytest.param(_pictures_gone, "its pictures are gone, on which an export is tried. Build its", id="no pictures"),
        pytest.param(_no_data_told, "its pictures are gone", id="no data told"),
        pytest.param(_broken_pictures, "the file is empty", id="broken pictures"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_left(
    copied: Path, target: str, damage: Callable[[Path], None], said: str
) -> None:
    damage(copied)
    with pytest.raises(InputError) as caught:
        export(copied, 1, [target], track=FakeTrack(find_squares, targets=yolo.track.targets))  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert not run_of(copied, 1).exports.exists()


class _Refusing(FakeTrack):
    def export(self, weights: Path, *rest: Any) -> Path:
        assert weights.stem == "attempt-1"
        raise WeightsError(weights, "is of a kind that this cannot hold", "Use another format")


def test_a_refusal_names_the_attempts_own_weights(copied: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        export(copied, 1, ["onnx"], track=_Refusing(find_squares, targets=yolo.track.targets))  # type: ignore[arg-type]
    weights = run_of(copied, 1).training / "weights" / "best.pt"
    assert str(caught.value) == f"{weights}: is of a kind that this cannot hold. Use another format"
    assert not run_of(copied, 1).exports.exists()


def test_a_model_that_finds_nothing_at_all_is_not_exported(copied: Path) -> None:
    with pytest.raises(InputError, match=r"finds nothing on 8 pictures of its own data, not even at confidence 0\.001"):
        export(copied, 1, ["onnx"], track=FakeTrack(targets=yolo.track.targets))  # type: ignore[arg-type]
    assert not run_of(copied, 1).exports.exists()


def test_a_model_that_is_equally_sure_of_all_its_boxes_is_not_exported(copied: Path) -> None:
    """As after a few dozen steps from scratch: what is among its hundred boxes is chance."""
    alike = [Detection(Box(at, 0, at + 5, 5), "chicken", 0.0184) for at in range(300)]
    said = r"is as sure of each of 2400 boxes on 8 pictures of its own data as of the others, and gives no more\. An export"
    with pytest.raises(InputError, match=said):
        export(copied, 1, ["onnx"], track=FakeTrack(lambda picture: alike, targets=yolo.track.targets))  # type: ignore[arg-type]
    assert not run_of(copied, 1).exports.exists()


def test_it_is_tried_on_test_first_then_val_then_train(copied: Path) -> None:
    built = copied / "datasets" / "attempt-1" / "images"
    shutil.rmtree(built / "val")
    chosen = check_pictures(copied, 1)
    assert [file.parent.name for file in chosen] == ["test"] * 4 + ["train"] * 4
    assert chosen[4:] == [sorted((built / "train").iterdir())[place] for place in (0, 3, 6, 9)]
