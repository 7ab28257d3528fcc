"""The pipeline.config of the three models, as far as it does not depend on where the data lie.

Source: tensorflow/models object_detection/configs/tf2, the configs named as in `settings.tfapi`; fields as
object_detection/protos have them. What differs: rates, steps and batch are the attempt's, gradients are clipped, ground
truths are unpadded (padding is for TPUs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from string import Template
from typing import Any

from yolo_pipeline.settings.tfapi import MODELS


@dataclass(frozen=True, slots=True)
class _Network:
    """What sets one SSD with a feature pyramid apart from another.

    Attributes:
        extractor: name of its feature extractor in the API.
        depthwise: whether its convolutions are separable.
        depth: channels of the pyramid's upper layers, and of the predictor's.
        shared_tower: whether boxes and classes are predicted from the same convolutions.
        decay: weight of the L2 regularizer.
        initializer: of the extractor's convolutions.
    """

    extractor: str
    depthwise: str
    depth: int
    shared_tower: str
    decay: str
    initializer: str


_FPNLITE = _Network(
    "ssd_mobilenet_v2_fpn_keras", "true", 128, "true", "0.00004", "random_normal_initializer { mean: 0.0 stddev: 0.01 }"
)
_RESNET = _Network(
    "ssd_resnet50_v1_fpn_keras",
    "false",
    256,
    "false",
    "0.0004",
    "truncated_normal_initializer { mean: 0.0 stddev: 0.03 }",
)
_NETWORKS = {
    "ssd_mobilenet_v2_fpnlite_320x320": _FPNLITE,
    "ssd_mobilenet_v2_fpnlite_640x640": _FPNLITE,
    "ssd_resnet50_v1_fpn_640x640": _RESNET,
}


def template(model: str, train: Mapping[str, Any], boxes: int) -> str:
    """The text of a config without classes, batch, steps, paths and readers' files.

    Args:
        train: as `settings.tfapi.check_train` gives it for this model.
        boxes: how many a picture may have; the API leaves out what is above.
    """
    rates = {key: float(value) for key, value in train.items() if isinstance(value, (int, float))}
    return _PIPELINE.substitute(
        rates,
        **asdict(_NETWORKS[model]),
        size=MODELS[model].size,
        aspect_ratios=[float(ratio) for ratio in train["aspect_ratios"]],
        warmup_steps=train["warmup_steps"],
        augmentations="".join(text for key, text in _AUGMENTATIONS.items() if train[key]),
        boxes=boxes,
    )


_AUGMENTATIONS = {
    "random_horizontal_flip": """
  data_augmentation_options {
    random_horizontal_flip {}
  }""",
    "random_crop_image": """
  data_augmentation_options {
    random_crop_image {
      min_object_covered: 0.0
      min_aspect_ratio: 0.75
      max_aspect_ratio: 3.0
      min_area: 0.75
      max_area: 1.0
      overlap_thresh: 0.0
    }
  }""",
}

_PIPELINE = Template("""
model {
  ssd {
    num_classes: 0
    image_resizer {
      fixed_shape_resizer { height: $size width: $size }
    }
    feature_extractor {
      type: "$extractor"
      depth_multiplier: 1.0
      min_depth: 16
      use_depthwise: $depthwise
      conv_hyperparams {
        regularizer { l2_regularizer { weight: $decay } }
        initializer { $initializer }
        activation: RELU_6
        batch_norm { decay: $batch_norm_decay scale: true epsilon: $batch_norm_epsilon }
      }
      override_base_feature_extractor_hyperparams: true
      fpn { min_level: 3 max_level: 7 additional_layer_depth: $depth }
    }
    box_coder {
      faster_rcnn_box_coder { y_scale: 10.0 x_scale: 10.0 height_scale: 5.0 width_scale: 5.0 }
    }
    matcher {
      argmax_matcher {
        matched_threshold: 0.5
        unmatched_threshold: 0.5
        ignore_thresholds: false
        negatives_lower_than_unmatched: true
        force_match_for_each_row: true
        use_matmul_gather: true
      }
    }
    similarity_calculator { iou_similarity {} }
    box_predictor {
      weight_shared_convolutional_box_predictor {
        conv_hyperparams {
          regularizer { l2_regularizer { weight: $decay } }
          initializer { random_normal_initializer { mean: 0.0 stddev: 0.01 } }
          activation: RELU_6
          batch_norm { decay: $batch_norm_decay scale: true epsilon: $batch_norm_epsilon }
        }
        depth: $depth
        num_layers_before_predictor: 4
        kernel_size: 3
        class_prediction_bias_init: -4.6
        share_prediction_tower: $shared_tower
        use_depthwise: $depthwise
      }
    }
    anchor_generator {
      multiscale_anchor_generator {
        min_level: 3
        max_level: 7
        anchor_scale: 4.0
        aspect_ratios: $aspect_ratios
        scales_per_octave: 2
      }
    }
    post_processing {
      batch_non_max_suppression {
        score_threshold: 1e-8
        iou_threshold: $iou_threshold
        max_detections_per_class: 100
        max_total_detections: 100
        use_static_shapes: false
      }
      score_converter: SIGMOID
    }
    normalize_loss_by_num_matches: true
    normalize_loc_loss_by_codesize: true
    loss {
      localization_loss { weighted_smooth_l1 {} }
      classification_loss { weighted_sigmoid_focal { gamma: 2.0 alpha: 0.25 } }
      classification_weight: $classification_weight
      localization_weight: $localization_weight
    }
    encode_background_as_zeros: true
    inplace_batchnorm_update: true
    freeze_batchnorm: false
  }
}
train_config {
  batch_size: 0
  num_steps: 0$augmentations
  optimizer {
    momentum_optimizer {
      learning_rate {
        cosine_decay_learning_rate {
          learning_rate_base: $learning_rate_base
          total_steps: 0
          warmup_learning_rate: $warmup_learning_rate
          warmup_steps: $warmup_steps
        }
      }
      momentum_optimizer_value: 0.9
    }
    use_moving_average: false
  }
  gradient_clipping_by_norm: $gradient_clipping_by_norm
  max_number_of_boxes: $boxes
  unpad_groundtruth_tensors: true
}
train_input_reader {
  max_number_of_boxes: $boxes
}
eval_config {
  batch_size: 1
  metrics_set: "coco_detection_metrics"
  use_moving_averages: false
}
eval_input_reader {
  shuffle: false
  num_epochs: 1
  max_number_of_boxes: $boxes
}
""")
