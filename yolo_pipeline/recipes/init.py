"""A new project folder, ready for labelled pictures."""

from __future__ import annotations

from pathlib import Path

from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_text

_DATA = """\
# Where the labelled pictures are: folders, zip files of them, or single annotation files (.json, .csv, .record).
# Several sources become one data set. Paths go from this file's folder.
sources:
  - path: datasets/raw/pictures   # pictures and their XML files, as LabelImg leaves them
    format: labelimg              # voc, yolo, coco, via, createml, csv, tfrecord, folders; left out: recognised
    # images: datasets/raw/photos   # where the pictures lie in another folder than the annotations
    # unlabelled: skip              # background: pictures without an annotation file are pictures without objects
    # difficult: keep               # drop: leave out objects that are marked difficult
    # label_key: label              # VIA: the attribute that holds the class, where there are several

# The classes in their order. Left out: all that were labelled, sorted by name.
# names: {0: chicken, 1: onion}
"""

_ATTEMPT = """\
title: first attempt
# base: 1            # a later attempt names the one it builds on, and says only what it changes
track: yolo          # or tfapi; classify for pictures in a folder for each class
model: yolov8n       # yolov5n/s/m/l/x, yolov8n/s/m/l/x, yolo11n …, a .pt file, or a .yaml of your own
pretrained: true     # fetched once to weights/; false: from scratch; or a .pt file to start from

data:
  # sources: [{path: datasets/raw/more}]     # in place of those of data.yaml
  # classes: [chicken, onion]                # keep these, in this order
  # rename: {egg: eggs}                      # two classes with one name become one
  split: {train: 0.8, val: 0.1, test: 0.1, seed: 0}   # again: true deals anew what the base had dealt
  # similar_together: true, in split, keeps nearly identical pictures in one split
  # backgrounds: {source: datasets/raw/backgrounds, share: 0.05}   # pictures without objects, 0.01 to 0.10 of train
  # cutouts: {share: 0.10}                   # objects with their background removed, alone on an empty canvas
  # resize: {size: 640, mode: stretch}       # or fit (grey edges), fill (cut at the edges)
  # augment: {outputs_per_example: 3, flip: [horizontal], rotation_deg: 15, brightness: 0.25, blur_px: 2,
  #           rot90: [clockwise], box: {flip: [horizontal], rotation_deg: 15}}   # training pictures only

train:               # any training setting of Ultralytics, under its name
  imgsz: 640         # pixels; larger for small objects; rounded up to a multiple of 32
  batch: 16          # images a step; halve it when memory runs out
  epochs: 100
  patience: 20       # stop after so many epochs without a better val score; 0: never
  # device: cpu      # left out: CUDA where there is one
  # workers: 4       # processes that load pictures; 0 on Windows when WinError 1455 comes
  # freeze: 10       # keep the first layers as they are: for very few pictures
  # optimizer: auto  # auto ignores lr0
  # seed: 0
  # fliplr: 0.0      # digits, letters, left and right: flips would change what they are

notes: ""
"""

_IGNORE = """\
datasets/
detections/
runs/
weights/
"""


def init(folder: Path) -> list[Path]:
    """Makes a project. Files that are there stay as they are.

    Returns:
        the files that were written.

    Raises:
        InputError: `folder` is a file, or holds a project.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(folder, "is a file", "Name a new folder")
    if (folder / "attempts").exists() or (folder / "data.yaml").exists():
        raise InputError(folder, "holds a project already", "Edit its data.yaml and attempts, or name a new folder")
    texts = {"data.yaml": _DATA, "attempts/1.yaml": _ATTEMPT, ".gitignore": _IGNORE}
    written = []
    for name, text in texts.items():
        if not (folder / name).exists():
            write_text(folder / name, text)
            written.append(folder / name)
    for name in ("datasets/raw/pictures", "runs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return written
