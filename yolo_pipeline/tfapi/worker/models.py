"""A pipeline.config and a checkpoint, as the API reads them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from .faults import Fault
from .remedies import keep_from_rewriting

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_NOT_WEIGHTS = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter" + _VALUE)
_WRONG_MODEL = "Name a checkpoint of the same model, or start without one"


def read_config(file: str) -> Any:
    """The pipeline_pb2.TrainEvalPipelineConfig of a file.

    Raises:
        Fault: it cannot be read, or says what the API does not know.
    """
    from google.protobuf import text_format
    from object_detection.protos import pipeline_pb2

    try:
        config = text_format.Parse(Path(file).read_text("utf-8"), pipeline_pb2.TrainEvalPipelineConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise Fault(f"{Path(file).name} cannot be read by the API: {error}", "Correct it there") from error
    if config.model.WhichOneof("model") is None:
        raise Fault(f"{Path(file).name} describes no model", "Correct it there")
    if config.train_config.optimizer.use_moving_average or config.eval_config.use_moving_averages:
        raise Fault(f"{Path(file).name} asks for moving averages, which are not supported", "Say false there")
    if fixed_size(config):
        keep_from_rewriting()
    return config


def fixed_size(config: Any) -> tuple[int, int] | None:
    """Height and width that every picture is resized to; None where they depend on the picture."""
    resizer = _part(config).image_resizer
    if resizer.WhichOneof("image_resizer_oneof") != "fixed_shape_resizer":
        return None
    return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width


def _part(config: Any) -> Any:
    """The settings of the kind of model that a config describes: ssd, faster_rcnn, center_net."""
    return getattr(config.model, config.model.WhichOneof("model"))


def read_configs(file: str) -> dict[str, Any]:
    """The parts of a config under the names that the API's functions know them by, and the `pipeline` itself."""
    from object_detection.utils import config_util

    pipeline = read_config(file)
    config_util.update_fine_tune_checkpoint_type(pipeline.train_config)
    configs: dict[str, Any] = config_util.create_configs_from_pipeline_proto(pipeline)
    return configs | {"pipeline": pipeline}


def set_asking(config: Any, iou: float | None, most: int, conf: float) -> None:
    """How boxes are chosen, written into a config before its model is built.

    Args:
        iou: overlap above which the lesser of two boxes of a class goes; None leaves what the config says.
        most: boxes a picture.
        conf: least score.
    """
    if config.model.WhichOneof("model") == "center_net":  # it takes peaks; Checkpointed leaves the lower ones out
        _part(config).object_center_params.max_box_predictions = most
        return
    chosen = _suppression(config)
    if iou is not None:
        chosen.iou_threshold = iou
    chosen.max_detections_per_class = chosen.max_total_detections = most
    chosen.score_threshold = conf
    chosen.change_coordinate_frame, chosen.use_combined_nms = True, False  # fractions of the picture, without padding


def _suppression(config: Any) -> Any:
    part = _part(config)
    is_one_stage = config.model.WhichOneof("model") == "ssd"
    processing = part.post_processing if is_one_stage else part.second_stage_post_processing
    return processing.batch_non_max_suppression


def build(config: Any, *, training: bool) -> Any:
    """The config's detection model, without weights.

    Raises:
        Fault: the API cannot build it.
    """
    from object_detection.builders import model_builder

    try:
        return model_builder.build(config.model, is_training=training, add_summaries=False)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Fault(f"the API cannot build this model: {error}", "Correct the pipeline.config") from error


def create_variables(model: Any) -> None:
    """Lets a model see an empty picture, before which it has no variables."""
    model._is_training = False
    tf.compat.v1.keras.backend.set_learning_phase(False)
    picture, shape = model.preprocess(tf.zeros([1, 320, 320, 3]))
    model.predict(picture, shape)


def restored(config: Any, checkpoint: str) -> Any:
    """A config's model with a checkpoint's weights, ready to be asked.

    Raises:
        Fault: the API cannot build it, or the checkpoint is damaged or of another model.
    """
    variables_of(checkpoint)  # which costs least
    model = build(config, training=False)
    create_variables(model)
    restore(tf.train.Checkpoint(model=model), checkpoint)
    return model


def parameters(model: Any) -> int:
    """Number of weights that training changes."""
    return sum(int(variable.shape.num_elements()) for variable in model.trainable_variables)


def device_name() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


@contextmanager
def readable(path: str) -> Iterator[str]:
    """A checkpoint, or a folder, under a path that TensorFlow can read: it takes [ in one for a pattern, and then finds
    nothing there."""
    if not set("[]*?") & set(path):
        yield path
        return
    there = Path(path)
    with tempfile.TemporaryDirectory() as folder:
        if there.is_dir():
            shutil.copytree(there, Path(folder) / "copy")
            yield str(Path(folder) / "copy")
            return
        for file in sorted(there.parent.iterdir()):
            if file.name.startswith(f"{there.name}."):
                shutil.copyfile(file, Path(folder) / file.name)
        yield str(Path(folder) / there.name)


def variables_of(checkpoint: str) -> dict[str, tuple[int, ...]]:
    """Shape of each variable of a checkpoint, by name.

    Raises:
        Fault: there is none, or it cannot be read.
    """
    try:
        with readable(checkpoint) as prefix:
            return {name: tuple(shape) for name, shape in tf.train.list_variables(prefix)}
    except Exception as error:
        reason = f"{checkpoint} is no checkpoint that TensorFlow can read"
        raise Fault(reason, "Name it without .index and .data, such as FOLDER/ckpt-0") from error


def step_of(checkpoint: str) -> int | None:
    """The step at which a checkpoint was saved, where it says so."""
    if "step" + _VALUE not in variables_of(checkpoint):
        return None
    with readable(checkpoint) as prefix:
        return int(tf.train.load_variable(prefix, "step" + _VALUE))


def restore(holder: Any, checkpoint: str) -> None:
    """Values of a checkpoint for every variable of a tf.train.Checkpoint, which must exist by now.

    Raises:
        Fault: it is damaged, or of another model, with the first variable that tells.
    """
    variables_of(checkpoint)
    try:
        with readable(checkpoint) as prefix:
            holder.restore(prefix).expect_partial().assert_existing_objects_matched()
    except (AssertionError, ValueError) as error:
        raise other_model(holder, checkpoint) from error


def other_model(holder: Any, checkpoint: str) -> Fault:
    """The fault of a checkpoint that does not fit: the first variable of another shape, else the first missing."""
    with tempfile.TemporaryDirectory() as folder:
        ours = variables_of(holder.write(str(Path(folder) / "ours")))
    theirs = variables_of(checkpoint)
    wanted = [name for name in sorted(ours) if name not in _NOT_WEIGHTS]
    for name in wanted:
        if name in theirs and theirs[name] != ours[name]:
            shapes = f"has the shape {_shape(theirs[name])}, not {_shape(ours[name])}"
            return Fault(f"{checkpoint} is of another model: {name.removesuffix(_VALUE)} {shapes}", _WRONG_MODEL)
    for name in wanted:
        if name not in theirs:
            return Fault(f"{checkpoint} is of another model: it has no {name.removesuffix(_VALUE)}", _WRONG_MODEL)
    return Fault(f"{checkpoint} is of another model", _WRONG_MODEL)


def _shape(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "of one number"
