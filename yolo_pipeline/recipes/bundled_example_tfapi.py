"""Detect on pictures: python example.py PICTURE ...   (JPEG, PNG or BMP; it needs: pip install tensorflow)."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow as tf

UPRIGHT = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}


def orientation(jpeg: bytes) -> int:
    """How its camera was held, from 1 to 8, by the Exif block at the beginning of a JPEG."""
    start = jpeg.find(b"Exif\0\0", 0, 2**16) + 6
    order: Literal["little", "big"] = "little" if jpeg[start : start + 2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(jpeg[at : at + size], order)

    entries = start + number(start + 4, 4)
    for entry in range(entries + 2, entries + 2 + 12 * number(entries, 2), 12) if start > 5 else ():
        if number(entry, 2) == 0x112:
            return number(entry + 8, 2)
    return 1


def decoded(file: str) -> tf.Tensor:
    """(height, width, 3) uint8, red first, upright."""
    data = Path(file).read_bytes()
    if not data.startswith(b"\xff\xd8"):
        return tf.io.decode_image(data, channels=3, expand_animations=False)
    quarters, mirrored = UPRIGHT.get(orientation(data), (0, False))
    picture = tf.image.rot90(tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"), quarters)
    return tf.image.flip_left_right(picture) if mirrored else picture


if not sys.argv[1:]:
    print(__doc__, file=sys.stderr)
    sys.exit(2)
here = Path(__file__).resolve().parent
names = json.loads((here / "names.json").read_text(encoding="utf-8"))
settings = (here / "settings.yaml").read_text(encoding="utf-8")
conf = float(re.findall(r"^conf: (\S+)$", settings, re.MULTILINE)[0])
model, unread = tf.saved_model.load(str(here / "saved_model")), 0
for file in sys.argv[1:]:
    try:
        picture = decoded(file)
    except (OSError, tf.errors.InvalidArgumentError):
        print(f"{file}: cannot be read as a picture", file=sys.stderr)
        unread = 1
        continue
    height, width, _ = picture.shape
    found = model(picture[None])
    boxes, classes, scores = (found[f"detection_{key}"][0].numpy().tolist() for key in ("boxes", "classes", "scores"))
    for (top, left, bottom, right), label, score in zip(boxes, classes, scores, strict=True):
        if score >= conf:
            box = [round(value, 2) for value in (left * width, top * height, right * width, bottom * height)]
            row = {"class": names[int(label) - 1], "score": round(score, 4), "box": box}
            print(json.dumps({"picture": file, **row}, ensure_ascii=False))
sys.exit(unread)
