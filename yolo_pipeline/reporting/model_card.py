"""The model card of an attempt: what its weights detect, how well, on what data, and what nobody measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.nouns import JUDGED
from yolo_pipeline.portable import portable
from yolo_pipeline.reporting.diagnosed import interval_text
from yolo_pipeline.reporting.tables import markdown, markdown_code, markdown_table, metric, plain
from yolo_pipeline.results import Results, network, part

_FEW_IMAGES, _FEW_OBJECTS = 100, 10
_METRICS = ("mAP50", "mAP50_95", "precision", "recall", "f1", "conf")
_UNMEASURED = (
    "Pictures of another kind: other cameras, light, distances, backgrounds, objects of classes that are not listed.",
    "Speed and memory on other machines.",
    "Whether errors fall on some groups of pictures more than on others.",
)
_PRINTS = """\
prints a line of JSON for each object: picture, class, score, box (x0, y0, x1, y1 in pixels of the upright picture)."""
_COMMON_FILES = (
    ("scores.json", "all scores, class by class"),
    ("example.py", "detects on pictures"),
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the card says of a track's models.

    Attributes:
        network: after "A", what it is.
        install: what the example needs.
        asked: how pictures are shown and boxes are chosen; `conf`, `imgsz`, `iou` and `resizes` are filled in.
        files: of the bundle, beside those that all have.
    """

    network: str
    install: str
    asked: str
    files: tuple[tuple[str, str], ...]
    licence: str


_WORDS = {
    "yolo": _Words(
        network="YOLO network",
        install="ultralytics opencv-python",
        asked="Boxes count from confidence {conf:g} on; pictures are shown at imgsz {imgsz}.",
        files=(
            ("best.pt", 'the weights; `YOLO("best.pt")` opens them'),
            ("names.json", "the classes, in the network's order"),
            ("settings.yaml", "`imgsz`, `conf`, `iou` and `max_det` to ask with; under `attempt`, how it was trained"),
        ),
        licence="The weights were trained with Ultralytics and are under its licence, AGPL-3.0, "
        "unless you hold an Enterprise licence of Ultralytics.",
    ),
    "tfapi": _Words(
        network="network of the TensorFlow Object Detection API",
        install="tensorflow",
        asked="Boxes count from confidence {conf:g} on. The graph {resizes}, "
        "and of boxes of one class that overlap by more than {iou:g} it keeps the surest.",
        files=(
            ("saved_model/", "the graph with its weights; `tf.saved_model.load` opens it, without the API"),
            ("checkpoint/", "the weights to train on from"),
            ("pipeline.config", "the model and its training, as the API takes them; paths left out"),
            ("label_map.pbtxt", "the classes, by the numbers from 1 that the graph gives"),
            ("names.json", "the same, in order"),
            ("settings.yaml", "`conf` to use; what is in the graph; under `attempt`, how it was trained"),
        ),
        licence="The model and the code that trained it are the TensorFlow Object Detection API's, under the Apache "
        "License 2.0; so are weights of its model zoo, where the training started from these.",
    ),
}


def model_card(results: Results, asked: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """README.md of a bundle. Names of classes and files are strangers' text: they stay words.

    Args:
        asked: `imgsz`, `conf`, `iou`, `max_det` to ask the model with.
        digests: what is to be known by its sha256 -> that.
    """
    record = results.record
    words = _WORDS[str(part(record, "settings").get("track", "yolo"))]
    sections = (
        _heading(results, words),
        _use({**asked, "resizes": _resizes(record, asked)}, words),
        _data(record),
        _scores(results),
        _training(record),
        _limits(results),
        _licence(record, words),
        _origin(record, digests),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _heading(results: Results, words: _Words) -> Iterator[str]:
    title = results.record.get("title")
    yield f"# Attempt {results.number}" + (f": {_words(title)}" if title else "")
    yield ""
    names = part(results.record, "data").get("names", [])
    model = _words(plain(network(results.record)))
    kinds = f"objects of {len(names)} classes" if len(names) != 1 else "objects of one class"
    yield f"A {words.network} ({model}) that finds {kinds} on pictures:"
    yield f"{', '.join(map(markdown_code, names))}."


def _use(asked: Mapping[str, Any], words: _Words) -> Iterator[str]:
    yield f"## Use\n\n    pip install {words.install}\n    python example.py PICTURE ...\n\n{_PRINTS}\n"
    yield f"{words.asked.format_map(asked)}\n"
    yield markdown_table(["file", ""], (*words.files, *_COMMON_FILES)).replace("&lt;", "<")


def _resizes(record: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """What a graph of the Object Detection API does with a picture first."""
    if resizer := part(record, "training", "used").get("resizer"):  # of a pipeline.config of the user's own
        return f"resizes every picture itself ({_words(plain(resizer))} of its pipeline.config)"
    return f"stretches every picture to {asked['imgsz']} x {asked['imgsz']} pixels"


def _data(record: Mapping[str, Any]) -> Iterator[str]:
    counts: Mapping[str, Mapping[str, Any]] = part(record, "data", "counts")
    yield "## Data\n"
    keys = ("images", "boxes", "backgrounds")
    rows = [[split, *(plain(entry.get(key)) for key in keys)] for split, entry in counts.items()]
    yield markdown_table(["split", "images", "boxes", "images without objects"], rows)
    by_class = {split: entry["classes"] for split, entry in counts.items() if "classes" in entry}
    if by_class:
        names = part(record, "data").get("names", [])
        rows = [[name, *(classes.get(name, 0) for classes in by_class.values())] for name in names]
        yield "\n" + markdown_table(["boxes of class", *by_class], rows)


def _scores(results: Results) -> Iterator[str]:
    yield "## Scores\n"
    if not results.scores:
        yield "None were measured."
        return
    rows: list[list[Any]] = [
        [name, *(metric(getattr(score, name)) + interval_text(results.intervals, split, name)
                 for split, score in results.scores.items())]
        for name in _METRICS
    ]  # fmt: skip
    rows.append(["found of all", *(f"{score.correct} of {score.truths}" for score in results.scores.values())])
    yield markdown_table(["", *results.scores], rows)
    yield (
        "\nCOCO's definitions. Precision, recall, F1 and what was found are counted at IoU 0.5 and at `conf`, where F1 "
        "of that split is best. In brackets: where the figure lies in 95 of 100 draws of such images. "
        "The weights and the confidence to use were chosen on val."
    )
    split = next(split for split in reversed(JUDGED) if split in results.scores)
    rows = [
        [name, one.truths, *(metric(value) for value in (one.AP50, one.AP50_95, one.precision, one.recall))]
        for name, one in results.scores[split].classes.items()
    ]
    yield "\n" + markdown_table([f"class on {split}", "objects", "AP50", "AP50_95", "precision", "recall"], rows)


def _training(record: Mapping[str, Any]) -> Iterator[str]:
    settings, training = part(record, "settings"), part(record, "training")
    start = part(training, "start").get("file")
    parameters = training.get("parameters")
    asked, used = portable(part(settings, "train")), portable(part(training, "used"))
    rows: list[list[Any]] = [["model", _words(plain(settings.get("model")))], ["started from", start or "scratch"]]
    if isinstance(parameters, int):
        rows.append(["parameters", f"{parameters:,}"])
    rows += [[key, plain(used.get(key, asked.get(key)))] for key in sorted({*asked, *used})]
    yield "## Training\n"
    yield markdown_table(["setting", ""], rows)


def _limits(results: Results) -> Iterator[str]:
    counts = part(results.record, "data", "counts")
    train = part(counts, "train").get("images")
    yield "## Limits\n"
    if isinstance(train, int) and train < 1000:
        yield f"- It was trained on {train} images, which is a small set."
    for split, score in results.scores.items():
        if score.images < _FEW_IMAGES:
            yield f"- {split} holds {score.images} images: its figures are rough, as the brackets show."
        few = [name for name, one in score.classes.items() if one.truths < _FEW_OBJECTS]
        if few:
            yield f"- Fewer than {_FEW_OBJECTS} objects on {split}: {', '.join(map(markdown_code, few))}."
        if not part(counts, split).get("backgrounds"):
            yield f"- {split} has no images without objects: false alarms on such were not measured."
    if "test" not in results.scores:
        yield "- There is no test split: val, on which it was judged, also chose the weights, so that it flatters them."
    yield "\nNot measured:\n"
    yield from (f"- {line}" for line in _UNMEASURED)


def _licence(record: Mapping[str, Any], words: _Words) -> Iterator[str]:
    yield f"## Licence\n\n{words.licence}"
    facts = part(record, "data").get("facts") or []
    said = [fact for fact in facts if isinstance(fact, Mapping) and fact.get("key") == "licence"]
    if not said:
        yield "What the pictures were licensed under is not recorded."
    for fact in said:
        yield f"\n- pictures of {markdown_code(portable(fact.get('source')))}: {_words(fact.get('value'))}"


def _origin(record: Mapping[str, Any], digests: Mapping[str, str]) -> Iterator[str]:
    rows = [["trained", plain(record.get("started"))]]
    rows += [[what, f"sha256 {digest}"] for what, digest in digests.items()]
    if fingerprint := part(record, "data").get("fingerprint"):
        rows.append(["data", f"fingerprint {fingerprint}"])
    rows += [[name, plain(version)] for name, version in part(record, "versions").items()]
    yield "## Origin\n"
    yield markdown_table(["", ""], rows)


def _words(text: Any) -> str:
    return markdown(portable("" if text is None else str(text)))
