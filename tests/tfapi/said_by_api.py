"""Runs in the API's environment: what the real API makes of configs and of record files.

    PYTHON said_by_api.py FOLDER_OF_THE_WORKER JOB.json ANSWER.json

The job is {"configs": {name: file}, "build": [names], "asked": [names], "records": [patterns], "pixels": folder}; decoded pictures go to
the folder as NUMBER.npy, (height, width, 3) uint8, red first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(worker: str, job_file: str, answer_file: str) -> None:
    sys.path.append(str(Path(worker).parent))
    from worker import remedies

    remedies.apply()
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    answer = {
        "configs": {name: parsed(file) for name, file in job.get("configs", {}).items()},
        "built": {name: built(job["configs"][name]) for name in job.get("build", [])},
        "asked": {name: asked(job["configs"][name]) for name in job.get("asked", [])},
        "examples": [example for records in job.get("records", []) for example in decoded(records, job["pixels"])],
    }
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


def parsed(file: str) -> Any:
    """All fields of a config, as the API reads it; or what it says of it."""
    from google.protobuf import json_format, text_format
    from object_detection.protos import pipeline_pb2

    message = pipeline_pb2.TrainEvalPipelineConfig()
    try:
        text_format.Merge(Path(file).read_text(encoding="utf-8"), message)
    except text_format.ParseError as error:
        return {"error": str(error)}
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def asked(file: str) -> Any:
    """The model of a config that the worker told to choose 7 boxes, by IoU 0.5 and confidence 0.25."""
    from google.protobuf import json_format
    from worker import models

    config = models.read_config(file)
    models.set_asking(config, 0.5, 7, 0.25)
    return json_format.MessageToDict(config.model, preserving_proto_field_name=True)


def built(file: str) -> dict[str, Any]:
    from object_detection.builders import model_builder, optimizer_builder
    from object_detection.utils import config_util

    configs = config_util.get_configs_from_pipeline_file(file)
    model = model_builder.build(configs["model"], is_training=True)
    optimizer_builder.build(configs["train_config"].optimizer)
    return {"model": type(model).__name__, "classes": model.num_classes}


def decoded(pattern: str, pixels: str) -> list[dict[str, Any]]:
    """Every example of the files that a pattern matches, by the API's own decoder."""
    import numpy as np
    import tensorflow as tf
    from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder

    decoder, found = TfExampleDecoder(), []
    for file in sorted(tf.io.gfile.glob(pattern)):
        for data in tf.data.TFRecordDataset(file):
            tensors = {key: tensor.numpy() for key, tensor in decoder.decode(data).items()}
            np.save(Path(pixels) / f"{int(tensors['source_id'])}.npy", tensors["image"])
            found.append(
                {
                    "file": Path(file).name,
                    "source_id": tensors["source_id"].decode(),
                    "filename": tensors["filename"].decode(),
                    "boxes": tensors["groundtruth_boxes"].tolist(),
                    "classes": tensors["groundtruth_classes"].tolist(),
                    "size": [int(side) for side in tensors["original_image_spatial_shape"]],
                }
            )
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
