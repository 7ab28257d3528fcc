"""The API's own COCO figures and losses on val, by a model that is in memory and goes on training.

Unlike the API's `eager_eval_loop`, the computation is traced once for all evaluations, and a picture that fails ends
the run instead of being left out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

BEST_BY = "DetectionBoxes_Precision/mAP"
_COCO = "coco_detection_metrics"
_TOLD_EVERY_S = 5.0


class Evaluation:
    """Val through a model, as often as one likes.

    Args:
        model: the detection model that is trained.
        configs: as config_util reads them.
        folder: where TensorBoard's events go: `eval/`, as the API's own tools write them.
    """

    def __init__(self, model: Any, configs: dict[str, Any], folder: Path) -> None:
        from object_detection import inputs

        self._model, self._configs = model, configs
        if _COCO not in configs["eval_config"].metrics_set:
            configs["eval_config"].metrics_set.append(_COCO)
        configs["eval_config"].batch_size = 1  # of more, the API would leave out the pictures that fill no batch
        reader = configs["eval_input_configs"][0]
        reader.num_epochs, reader.shuffle = 1, False
        self._pictures = inputs.eval_input(
            eval_config=configs["eval_config"], eval_input_config=reader, model_config=configs["model"], model=model
        )
        self._label_map = reader.label_map_path
        self._writer = tf.summary.create_file_writer(str(folder / "eval" / reader.name))
        self._found = tf.function(self._find)

    def run(self, step: int, asked_to_stop: Callable[[], bool], tell: Callable[[int], None]) -> dict[str, float] | None:
        """The metrics under the API's tags, also written as events; None where it was asked to stop before the end.

        Args:
            tell: told every few seconds how many pictures were looked at.
        """
        from object_detection import model_lib_v2

        evaluators = self._evaluators()
        losses: dict[str, list[float]] = {}
        told = time.monotonic()
        for seen, (features, labels) in enumerate(self._pictures):
            if asked_to_stop():
                return None
            if (now := time.monotonic()) - told >= _TOLD_EVERY_S:
                told = now
                tell(seen)
            batch_losses, found = self._found(features, labels)
            result, _ = model_lib_v2.prepare_eval_dict(found, dict(labels), features)
            for evaluator in evaluators:
                evaluator.add_eval_dict(result)
            for tag, loss in batch_losses.items():
                losses.setdefault(tag, []).append(float(loss))
        metrics = {str(tag): float(value) for evaluator in evaluators for tag, value in evaluator.evaluate().items()}
        metrics |= {tag: math.fsum(values) / len(values) for tag, values in losses.items()}
        self._write(metrics, step)
        return metrics

    def _evaluators(self) -> list[Any]:
        """New ones, which have seen no picture."""
        from object_detection import eval_util
        from object_detection.utils import label_map_util

        config = self._configs["eval_config"]
        categories = label_map_util.create_category_index_from_labelmap(self._label_map)
        options = eval_util.evaluator_options_from_eval_config(config)
        evaluators: list[Any] = eval_util.get_evaluators(config, list(categories.values()), options)
        return evaluators

    def _find(self, features: Any, labels: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Losses and detections of a batch. Traced once: the learning phase of the training step stays its own."""
        from object_detection import model_lib
        from object_detection.core import standard_fields

        model, fields = self._model, standard_fields.InputDataFields
        model._is_training = False
        tf.compat.v1.keras.backend.set_learning_phase(False)
        padded = labels[fields.groundtruth_boxes].shape[1] is not None
        unpad = padded and self._configs["eval_config"].batch_size == 1
        model_lib.provide_groundtruth(model, model_lib.unstack_batch(labels, unpad_groundtruth_tensors=unpad))
        shapes = features[fields.true_image_shape]
        predicted = model.predict(features[fields.image], shapes)
        losses = dict(model.loss(predicted, shapes))
        if self._configs["train_config"].add_regularization_loss and (extra := model.regularization_losses()):
            losses["Loss/regularization_loss"] = tf.add_n(extra)
        losses["Loss/total_loss"] = tf.add_n(list(losses.values()))
        return losses, model.postprocess(predicted, shapes)

    def _write(self, metrics: dict[str, float], step: int) -> None:
        with self._writer.as_default():
            for tag, value in metrics.items():
                tf.summary.scalar(tag, value, step=step)
        self._writer.flush()
