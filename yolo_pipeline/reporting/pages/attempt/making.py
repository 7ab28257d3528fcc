"""What an attempt was made with: settings asked and used, data, the audit's findings, machine and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline.nouns import SPLITS
from yolo_pipeline.reporting.pages.attempt.summary import DASH
from yolo_pipeline.reporting.pages.markup import Markup, Part, element, join, listing, section, table, with_code
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import layers, megabytes, percent, plain
from yolo_pipeline.results import finite

Record = Mapping[str, Any]
_SEVERITIES = ("fault", "warning", "note")


def settings_section(record: Record, say: Say) -> Markup:
    settings: Record = record.get("settings") or {}
    training: Record = record.get("training") or {}
    asked, used = settings.get("train") or {}, training.get("used") or {}
    parameters, start = training.get("parameters"), training.get("start")
    rows: list[list[Part]] = [
        [say("model"), plain(settings.get("model")), say("parameters", n=_number(parameters)) if parameters else DASH],
        [say("weights"), plain(settings.get("pretrained")), _start(start, say) if start is not None else DASH],
    ]
    if "head" in settings:
        rows.append([say("head"), layers(settings["head"]), DASH])
    for key in sorted({*asked, *used}, key=str):
        rows.append([element("code", key), plain(asked.get(key)), plain(used.get(key))])
    if conf := (settings.get("detect") or {}).get("conf"):
        rows.append([element("code", "detect.conf"), plain(conf), plain(conf)])
    lead = element("p", say("settings_lead"), class_="muted")
    whole = table((say("setting"), say("asked"), say("used")), rows, words=(1, 2), label=say("settings"))
    return section("settings", say("settings"), lead, whole)


def _start(start: Record, say: Say) -> str:
    return plain(start["file"]) if start.get("file") else say("scratch")


def data_section(record: Record, say: Say, *, boxes: bool = True) -> Markup | None:
    """What was trained on; None where the run did not note it.

    Args:
        boxes: whether objects in the pictures were counted, or the pictures themselves.
    """
    data: Record = record.get("data") or {}
    counts: Mapping[str, Record] = data.get("counts") or {}
    if not counts:
        return None
    splits = [split for split in SPLITS if split in counts]
    head = (say("split"), say("images"), *((say("boxes"), say("backgrounds"), say("share")) if boxes else ()))
    rows = [[split, *_split_row(counts[split])][: len(head)] for split in splits]
    parts: list[Part] = [table(head, rows, label=say("data"))]
    by_class = [
        [name, *(_number((counts[split].get("classes") or {}).get(name)) for split in splits)]
        for name in data.get("names") or ()
    ]
    if by_class and any(counts[split].get("classes") for split in splits):
        parts += [element("h3", say("classes")), table((say("class"), *splits), by_class, label=say("classes"))]
    sizes = {key: len(data.get(key) or ()) for key in ("fixed", "dropped", "skipped")}
    parts.append(element("p", say("reading", **sizes)) if "fixed" in data else None)
    parts.append(element("div", listing(data["notes"]), lang="en") if data.get("notes") else None)
    return section("dataset", say("data"), *parts)


def _split_row(entry: Record) -> list[str]:
    images, backgrounds = entry.get("images"), entry.get("backgrounds")
    share = percent(backgrounds / images) if images and backgrounds is not None else DASH
    return [_number(images), _number(entry.get("boxes")), _number(backgrounds), share]


def audit_section(record: Record, say: Say) -> Markup:
    findings = [finding for finding in record.get("findings") or () if isinstance(finding, Mapping)]
    items = (
        element(
            "li",
            _severity(str(finding.get("severity", "note")), say),
            element("span", with_code(f" {finding.get('text', '')}. {finding.get('remedy', '')}")),
            lang="en",
        )
        for finding in findings
    )
    none = say("audit_none" if "findings" in record else "audit_missing")
    shown = element("ul", join(items), class_="findings") if findings else element("p", none)
    return section("audit", say("audit"), shown)


def _severity(name: str, say: Say) -> Markup:
    known = name in _SEVERITIES
    return element("strong", say(name) if known else name, class_=f"severity {name}" if known else "severity")


def making_section(record: Record, say: Say) -> Markup:
    rows = [[name, value] for name, value in _made(record, say)]
    return section("making", say("making"), table(("", ""), rows, words=(1,), label=say("making")))


def _made(record: Record, say: Say) -> Iterator[tuple[str, Part]]:
    training: Record = record.get("training") or {}
    seconds: Record = record.get("seconds") or {}
    yield say("started"), plain(record.get("started"))
    yield say("device"), plain((training.get("used") or {}).get("device"))
    yield say("seed"), plain(((record.get("settings") or {}).get("train") or {}).get("seed"))
    for key in ("build", "train", "judge"):
        if isinstance(value := seconds.get(key), int | float):
            yield say(key), say("seconds", n=f"{value:,.1f}")
    if isinstance(value := seconds.get("an_image"), int | float):
        yield say("an_image"), say("milliseconds", n=f"{value * 1000:.1f}")
    if (size := finite(training.get("bytes"))) is not None:
        yield say("weights_size"), megabytes(size)
    if training.get("weights"):
        digest = str(training.get("sha256", DASH))[:16]
        yield say("weights"), element("code", f"{training['weights']} (sha256 {digest})")
    if fingerprint := (record.get("data") or {}).get("fingerprint"):
        yield say("fingerprint"), element("code", str(fingerprint)[:16])
    yield say("git"), element("code", str(record["git_commit"])[:16]) if record.get("git_commit") else DASH
    for name, version in (record.get("versions") or {}).items():
        yield str(name), plain(version)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else DASH
