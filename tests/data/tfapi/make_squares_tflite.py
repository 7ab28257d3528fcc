"""Makes squares.tflite: a detector of 32 x 32 pixels whose weights are written by hand, in the form of the API's export;
and mean.tflite, which is no detector.

Run by a Python with TensorFlow 2.21: python make_squares_tflite.py. It divides the picture into 8 x 8 cells, each its own
anchor; cells of a pure colour are of classes 0 to 5: red, green, blue, cyan, magenta, yellow. metadata.json is not in it:
tests append their own.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import numpy as np
import tensorflow as tf

SIZE, CELLS = 32, 8
COLOURS = np.float32([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])  # red first
CLASSES = len(COLOURS)
IMPLEMENTS = " ".join(
    [
        'name: "TFLite_Detection_PostProcess"',
        'attr { key: "max_detections" value { i: 10 } }',
        'attr { key: "max_classes_per_detection" value { i: 1 } }',
        'attr { key: "use_regular_nms" value { b: true } }',
        'attr { key: "nms_score_threshold" value { f: 0.001000 } }',
        'attr { key: "nms_iou_threshold" value { f: 0.600000 } }',
        *(
            f'attr {{ key: "{key}_scale" value {{ f: {value:f} }} }}'
            for key, value in zip("yxhw", (10, 10, 5, 5), strict=True)
        ),
        f'attr {{ key: "num_classes" value {{ i: {CLASSES} }} }}',
    ]
)


class Squares(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        centres = (np.arange(CELLS) + 0.5) / CELLS
        y, x = (part.ravel() for part in np.meshgrid(centres, centres, indexing="ij"))
        side = np.full(CELLS * CELLS, 1 / CELLS)
        self.anchors = np.stack([y, x, side, side], axis=1).astype(np.float32)
        self.kernel = 4 * COLOURS.T[None, None]

    @tf.function(input_signature=[tf.TensorSpec([1, SIZE, SIZE, 3], tf.float32, name="input")])
    def __call__(self, image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        cells = tf.nn.avg_pool2d(image, SIZE // CELLS, SIZE // CELLS, "VALID")
        scores = tf.sigmoid(tf.reshape(tf.nn.conv2d(cells, self.kernel, 1, "VALID") - 8.0, [1, -1, CLASSES]))
        encodings = tf.reshape(tf.repeat(cells[..., :1], 4, axis=3) * 0.0, [1, -1, 4])
        return self.chosen(encodings, scores, tf.constant(self.anchors))[::-1]

    @tf.function(experimental_implements=IMPLEMENTS)
    def chosen(self, encodings: tf.Tensor, scores: tf.Tensor, anchors: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """A place for the operation, which only TensorFlow Lite has: boxes, classes, scores, their number."""
        return tuple(tf.constant(0.0) for _ in range(4))


class Mean(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, SIZE, SIZE, 3], tf.float32, name="input")])
    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(image, axis=(1, 2))


if __name__ == "__main__":
    for name, module in (("squares", Squares()), ("mean", Mean())):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([module.__call__.get_concrete_function()], module)
        converter.allow_custom_ops = True
        Path(__file__).with_name(f"{name}.tflite").write_bytes(converter.convert())
