"""Task `export`: the API's own exporters, and TensorFlow's converter to TFLite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from .faults import Fault
from .models import build, create_variables, read_config, readable, restore, set_asking, variables_of
from .talking import Parent


def run(parent: Parent) -> None:
    """Writes `job["target"]` into the folder `job["out"]`: saved_model/ with pipeline.config and checkpoint/ beside it,
    or model.tflite."""
    job = parent.job
    tempfile.tempdir = job.get("scratch")  # which the parent clears away, even where this process is killed
    parent.watch(parent.leave)
    if job["target"] not in TARGETS:
        raise Fault(f"there is no export to {job['target']}", f"Choose one of {', '.join(TARGETS)}")
    config = read_config(job["config"])
    set_asking(config, job.get("iou"), int(job["most"]), float(job["conf"]))
    variables_of(job["checkpoint"])
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    with _folder_of(job["checkpoint"]) as checkpoints:
        try:
            file = TARGETS[job["target"]](config, checkpoints, out, job, parent.say)
        except (AssertionError, ValueError):
            _check(config, job["checkpoint"])
            raise
    parent.done({"file": str(file)})


def _saved_model(config: Any, checkpoints: str, out: Path, job: dict[str, Any], say: Callable[[str], None]) -> Path:
    """One picture of any size, uint8, in; boxes as fractions, classes from 1, out."""
    from object_detection import exporter_lib_v2

    say("writes the SavedModel")
    exporter_lib_v2.export_inference_graph("image_tensor", config, checkpoints, str(out))
    return out / "saved_model"


def _tflite(config: Any, checkpoints: str, out: Path, job: dict[str, Any], say: Callable[[str], None]) -> Path:
    with _converter(config, checkpoints, int(job["most"]), say) as converter:
        return _write(converter, out)


def _tflite_int8(config: Any, checkpoints: str, out: Path, job: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Weights and what lies between layers in whole numbers; pictures in and boxes out stay as they are."""
    samples = [str(file) for file in job["samples"]]
    if not samples:
        raise Fault("whole numbers need pictures to measure their scale on", "Name some training pictures")
    with _converter(config, checkpoints, int(job["most"]), say) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _samples(build(config, training=False), samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        say(f"measures scales on {len(samples)} pictures")
        return _write(converter, out)


TARGETS = {"saved_model": _saved_model, "tflite": _tflite, "tflite-int8": _tflite_int8}


@contextmanager
def _converter(config: Any, checkpoints: str, most: int, say: Callable[[str], None]) -> Iterator[Any]:
    """For the API's graph without preprocessing, whose boxes are chosen, class by class, by an operation of TFLite."""
    from object_detection import export_tflite_graph_lib_tf2

    with tempfile.TemporaryDirectory() as folder:
        say("prepares the graph")
        export_tflite_graph_lib_tf2.export_tflite_model(config, checkpoints, folder, most, use_regular_nms=True)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder) / "saved_model"))
        converter.allow_custom_ops = True
        say("converts it to TFLite")
        yield converter


def _write(converter: Any, out: Path) -> Path:
    file = out / "model.tflite"
    file.write_bytes(converter.convert())
    return file


def _samples(model: Any, files: Sequence[str]) -> Callable[[], Iterator[list[Any]]]:
    """Pictures exactly as the model's preprocessing gives them to it."""

    def each() -> Iterator[list[Any]]:
        for file in files:
            picture = tf.io.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
            yield [model.preprocess(tf.cast(picture, tf.float32)[tf.newaxis])[0]]

    return each


def _check(config: Any, checkpoint: str) -> None:
    """That the checkpoint is of this model, where an exporter failed: it tells that in other words.

    Raises:
        Fault: it is not.
    """
    model = build(config, training=False)
    create_variables(model)
    restore(tf.train.Checkpoint(model=model), checkpoint)


@contextmanager
def _folder_of(checkpoint: str) -> Iterator[str]:
    """A folder whose latest checkpoint is this one, which is how the exporters are told."""
    from tensorflow.python.training.checkpoint_management import update_checkpoint_state_internal

    with tempfile.TemporaryDirectory() as folder, readable(checkpoint) as prefix:
        update_checkpoint_state_internal(folder, str(Path(prefix).absolute()))
        yield folder
