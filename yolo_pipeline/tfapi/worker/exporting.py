"""Task `export`: the API's own modules for others to ask, saved as graphs, and TensorFlow's converter to TFLite.

The API's exporters would save every layer of Keras as well, which nothing that asks a model needs. For SSD MobileNet at
320 pixels a SavedModel took 31 seconds so, and takes 18, with half the graph, opened in a quarter of the time; a TFLite
file took 50 seconds, and takes 21. What these graphs answer is the same to the last bit.
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
    """Writes `job["target"]` into the folder `job["out"]`: saved_model/ with checkpoint/ beside it, or
    model.tflite."""
    job = parent.job
    parent.watch(parent.leave)
    if job["target"] not in TARGETS:
        raise Fault(f"there is no export to {job['target']}", f"Choose one of {', '.join(TARGETS)}")
    if job["target"] == "tflite-int8" and not job["samples"]:
        raise Fault("whole numbers need pictures to measure their scale on", "Name some training pictures")
    config = read_config(job["config"])
    set_asking(config, job.get("iou"), int(job["most"]), float(job["conf"]))
    parent.say("builds the model")
    model = restored(config, job["checkpoint"])
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    parent.done({"file": str(TARGETS[job["target"]](config, model, out, job, parent.say))})


def _saved_model(config: Any, model: Any, out: Path, job: dict[str, Any], say: _Say) -> Path:
    """One picture of any size, uint8, in; boxes as fractions, classes from 1, out."""
    from object_detection import exporter_lib_v2

    say("writes the SavedModel")
    module = exporter_lib_v2.DetectionFromImageModule(model)
    graph = module.__call__.get_concrete_function()
    kept = _kept(graph)
    kept.__call__ = module.__call__
    tf.saved_model.save(kept, str(out / "saved_model"), signatures=graph)
    checkpoints = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(out / "checkpoint"), max_to_keep=1)
    checkpoints.save(checkpoint_number=0)
    return out / "saved_model"


def _tflite(config: Any, model: Any, out: Path, job: dict[str, Any], say: _Say) -> Path:
    """For the API's graph without preprocessing, whose boxes are chosen, class by class, by an operation of TFLite."""
    from object_detection.export_tflite_graph_lib_tf2 import SSDModule

    module = SSDModule(config, model, int(job["most"]), use_regular_nms=True)
    picture = tf.TensorSpec(module.input_shape(), tf.float32, name="input")
    graph = module.inference_fn.get_concrete_function(picture)
    file = out / "model.tflite"
    with tempfile.TemporaryDirectory() as folder:
        # not left to the converter, which would go another way without a word where saving fails
        tf.saved_model.save(_kept(graph), folder, signatures=graph)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.allow_custom_ops = True
        measuring = ""
        if job["target"] == "tflite-int8":
            _ask_for_whole_numbers(converter, model, job["samples"])
            measuring = f", measuring scales on {len(job['samples'])} pictures"
        say(f"converts it to TFLite{measuring}")
        file.write_bytes(converter.convert())
    return file


def _ask_for_whole_numbers(converter: Any, model: Any, samples: Sequence[str]) -> None:
    """For weights and what lies between layers; pictures in and boxes out stay as they are."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _samples(model, samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]


TARGETS = {"saved_model": _saved_model, "tflite": _tflite, "tflite-int8": _tflite}


def _kept(graph: Any) -> Any:
    """What holds the variables of a graph, in the order in which it captured them, and no layer."""
    places = {id(handle): place for place, handle in enumerate(graph.captured_inputs)}
    module = tf.Module()
    module.weights = sorted(graph.variables, key=lambda variable: places[id(variable.handle)])
    return module


def _samples(model: Any, files: Sequence[str]) -> Callable[[], Iterator[list[Any]]]:
    """Pictures exactly as the model's preprocessing gives them to it."""

    def each() -> Iterator[list[Any]]:
        for file in files:
            picture = tf.io.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
            yield [model.preprocess(tf.cast(picture, tf.float32)[tf.newaxis])[0]]

    return each
