"""Task `export`: the API's own modules for others to ask, saved as graphs, and TensorFlow's converter to TFLite.

The API's exporters would save every layer of Keras as well, which nothing that asks a model needs: of MobileNet's 320
pixels that makes a SavedModel in 31 seconds instead of 18, twice as large a graph, four times as slow to open, and a
TFLite file in 50 seconds instead of 18. What the graphs answer is the same to the last bit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from .faults import Fault
from .models import read_config, restored, set_asking
from .talking import Parent

_Say = Callable[[str], None]


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
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    file = TARGETS[job["target"]](config, restored(config, job["checkpoint"]), out, job, parent.say)
    parent.done({"file": str(file)})


def _saved_model(config: Any, model: Any, out: Path, job: dict[str, Any], say: _Say) -> Path:
    """One picture of any size, uint8, in; boxes as fractions, classes from 1, out."""
    from object_detection import exporter_lib_v2
    from object_detection.utils import config_util

    say("writes the SavedModel")
    module = exporter_lib_v2.DetectionFromImageModule(model)
    graph = module.__call__.get_concrete_function()
    kept = _kept(graph)
    kept.__call__ = module.__call__
    tf.saved_model.save(kept, str(out / "saved_model"), signatures=graph)
    checkpoints = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(out / "checkpoint"), max_to_keep=1)
    checkpoints.save(checkpoint_number=0)
    config_util.save_pipeline_config(config, str(out))
    return out / "saved_model"


def _tflite(config: Any, model: Any, out: Path, job: dict[str, Any], say: _Say) -> Path:
    return _write(_converter(config, model, int(job["most"]), say), out)


def _tflite_int8(config: Any, model: Any, out: Path, job: dict[str, Any], say: _Say) -> Path:
    """Weights and what lies between layers in whole numbers; pictures in and boxes out stay as they are."""
    samples = [str(file) for file in job["samples"]]
    if not samples:
        raise Fault("whole numbers need pictures to measure their scale on", "Name some training pictures")
    converter = _converter(config, model, int(job["most"]), say)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _samples(model, samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    say(f"measures scales on {len(samples)} pictures")
    return _write(converter, out)


TARGETS = {"saved_model": _saved_model, "tflite": _tflite, "tflite-int8": _tflite_int8}


def _converter(config: Any, model: Any, most: int, say: _Say) -> Any:
    """For the API's graph without preprocessing, whose boxes are chosen, class by class, by an operation of TFLite."""
    from object_detection.export_tflite_graph_lib_tf2 import SSDModule

    say("converts it to TFLite")
    module = SSDModule(config, model, most, True)
    picture = tf.TensorSpec(module.input_shape(), tf.float32, name="input")
    graph = module.inference_fn.get_concrete_function(picture)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], _kept(graph))
    converter.allow_custom_ops = True
    return converter


def _kept(graph: Any) -> Any:
    """What holds the variables of a graph, in an order that does not change, and no layer."""
    module = tf.Module()
    module.weights = sorted(graph.variables, key=lambda variable: str(variable.name))
    return module


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
