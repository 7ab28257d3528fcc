"""The Object Detection API of 2022 on the TensorFlow of today: what it misses is put in its place in memory.

No file of any package is changed. Each remedy says which error it prevents.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PROTOS = "object_detection.protos."


def apply() -> None:
    """To be called once, before object_detection is imported."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    sys.meta_path.insert(0, _ProtoFinder())
    _stand_in_for_estimator()
    _stand_in_for_models()
    _give_back_control_flow()
    _give_back_text_size()
    _give_back_number_types()
    _seed_augmentation()


def keep_from_rewriting() -> None:
    """No error, but more than half of the time before the first step (31 of 56 seconds): AutoGraph rewrites the API's
    functions, which were written before it. Without it, models that see every picture in one size do the same; others
    would fail, not go wrong."""
    from tensorflow.python.autograph.core import config

    rule = config.DoNotConvert("object_detection")
    config.CONVERSION_RULES = (rule, *config.CONVERSION_RULES)


class _ProtoFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`Descriptors cannot be created directly`: the package's *_pb2 files were made by a protoc that is too old.

    Each holds its serialised descriptor as one bytes literal. Today's classes are built from it.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not (name.startswith(_PROTOS) and name.endswith("_pb2")):
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        if found is None or found.origin is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=found.origin)

    def exec_module(self, module: types.ModuleType) -> None:
        from google.protobuf import descriptor_pb2, descriptor_pool
        from google.protobuf.internal import builder

        origin = module.__spec__.origin if module.__spec__ else None
        serialized = _serialized_descriptor(Path(origin or ""))
        for dependency in descriptor_pb2.FileDescriptorProto.FromString(serialized).dependency:
            importlib.import_module(f"{dependency.removesuffix('.proto').replace('/', '.')}_pb2")
        content: dict[str, Any] = module.__dict__
        content["DESCRIPTOR"] = descriptor_pool.Default().AddSerializedFile(serialized)
        builder.BuildMessageAndEnumDescriptors(content["DESCRIPTOR"], content)
        builder.BuildTopDescriptorsAndMessages(content["DESCRIPTOR"], module.__name__, content)


def _serialized_descriptor(file: Path) -> bytes:
    """The argument serialized_pb=b'…' of the call that makes a file's descriptor."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.keyword) and node.arg == "serialized_pb" and isinstance(node.value, ast.Constant):
            value = node.value.value
            if isinstance(value, bytes):
                return value
    raise ImportError(f"{file} holds no serialised descriptor")


def _stand_in_for_estimator() -> None:
    """`cannot import name 'estimator' from 'tensorflow.compat.v1'`: only the names of its modes are asked for."""
    import tensorflow as tf

    modes = types.SimpleNamespace(TRAIN="train", EVAL="eval", PREDICT="infer")
    estimator = _module("tensorflow.compat.v1.estimator", ModeKeys=modes)
    tf.compat.v1.estimator = estimator
    sys.modules["tensorflow.compat.v1"].__dict__["estimator"] = estimator


def _stand_in_for_models() -> None:
    """`No module named 'official'`, `'tensorflow_io'`: needed by moving averages, EfficientDet and DeepMAC alone."""
    _module("official.modeling.optimization.ema_optimizer", ExponentialMovingAverage=None)
    _module("official.legacy.image_classification.efficientnet.efficientnet_model", EfficientNet=None)
    _module("tensorflow_io")


def _give_back_control_flow() -> None:
    """`control_flow_ops has no attribute 'case'`: tf_slim looks for three functions where they used to be."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_ops

    for name in ("case", "cond", "while_loop"):
        if not hasattr(control_flow_ops, name):
            setattr(control_flow_ops, name, getattr(tf.compat.v1, name))


def _give_back_text_size() -> None:
    """`FreeTypeFont has no attribute 'getsize'`: Pillow 10 took it away; the API draws names with it."""
    from PIL import ImageFont

    for font in (ImageFont.FreeTypeFont, ImageFont.ImageFont):
        if not hasattr(font, "getsize"):
            setattr(font, "getsize", _text_size)  # noqa: B010


def _text_size(font: Any, text: str) -> tuple[int, int]:
    """Width and height of a text in pixels."""
    _, _, right, bottom = font.getbbox(text)
    return int(right), int(bottom)


def _give_back_number_types() -> None:
    """`module 'numpy' has no attribute 'float'`: the Pascal and Open Images metrics are reckoned in such."""
    import numpy as np

    for name, kind in (("float", float), ("int", int)):
        if name not in np.__dict__:
            setattr(np, name, kind)


def _seed_augmentation() -> None:
    """No error, but other pictures in every training with the same seed: functions of TensorFlow 1, in which the API
    augments, know no seed, and its crops ask for none."""
    import tensorflow as tf

    if hasattr(tf.compat.v1.data.Dataset, "map_with_legacy_function"):
        del tf.compat.v1.data.Dataset.map_with_legacy_function
    draw = tf.compat.v1.image.sample_distorted_bounding_box

    def draw_seeded(*args: Any, **options: Any) -> Any:
        if not options.get("seed"):
            options["seed"], options["seed2"] = tf.compat.v1.get_seed(None)
        return draw(*args, **options)

    tf.compat.v1.image.sample_distorted_bounding_box = draw_seeded


def _module(name: str, **content: Any) -> types.ModuleType:
    """An empty module, and the packages that it lies in, where `import` finds them."""
    parent, _, last = name.rpartition(".")
    module = sys.modules.get(name) or types.ModuleType(name)
    module.__dict__.update(content)
    module.__dict__.setdefault("__path__", [])
    sys.modules[name] = module
    if parent and not parent.startswith("tensorflow"):
        setattr(_module(parent), last, module)
    return module
