"""Detect on pictures: python example.py PICTURE ...   (it needs: pip install ultralytics opencv-python)."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import yaml
from ultralytics import YOLO

if not sys.argv[1:]:
    print(__doc__, file=sys.stderr)
    sys.exit(2)
here = Path(__file__).resolve().parent
names = json.loads((here / "names.json").read_text(encoding="utf-8"))
settings = yaml.safe_load((here / "settings.yaml").read_text(encoding="utf-8"))
asked = {key: settings[key] for key in ("imgsz", "conf", "iou", "max_det")}
model, unread = YOLO(here / "best.pt"), 0
for file in sys.argv[1:]:
    try:
        picture = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):  # missing or empty
        picture = None
    if picture is None:
        print(f"{file}: cannot be read as a picture", file=sys.stderr)
        unread = 1
        continue
    found = model.predict(picture, **asked, verbose=False)[0].boxes
    for label, score, box in zip(found.cls.tolist(), found.conf.tolist(), found.xyxy.tolist(), strict=True):
        row = {"class": names[int(label)], "score": round(score, 4), "box": [round(value, 2) for value in box]}
        print(json.dumps({"picture": file, **row}, ensure_ascii=False))
sys.exit(unread)
