"""The tables of a comparison's page: few attempts stand side by side, many one below the other, to be sorted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import or_
from typing import Any

from yolo_pipeline.reporting.pages.comparison.fields import (
    Cell,
    Field,
    Group,
    changes,
    fields,
    is_told,
    of_both_tracks,
    told_changes,
)
from yolo_pipeline.reporting.pages.comparison.words import Say
from yolo_pipeline.reporting.pages.markup import Markup, Part, element, join, section
from yolo_pipeline.reporting.tables import MOST_SIDE_BY_SIDE, plain
from yolo_pipeline.results import Comparison, Results

_LONG = 80  # characters of a cell, before the rest is cut off
_COLUMNS: tuple[Group, ...] = ("val", "test", "own", "settings", "data", "cost")
_TOLD = ("problems", "causes", "next", "notes")


def attempts_section(comparison: Comparison, say: Say) -> Markup:
    """Settings, data, scores and cost of every attempt."""
    found = fields(comparison, say)
    many = len(comparison.attempts) > MOST_SIDE_BY_SIDE
    whole = _below_each_other(comparison, found, say) if many else _side_by_side(comparison, found, say)
    lines = [say("table text"), say("best text") if _has_best(found) else "", say("sort text") if many else ""]
    box = element("div", whole, class_="scroll tall" if many else "scroll", tabindex=0)
    return section("attempts", say("table"), element("p", " ".join(filter(None, lines))), box)


def told_section(attempts: Sequence[Results], say: Say) -> Markup | None:
    """What was told of runs in words: their notes, and the problems, causes and plans of those made elsewhere."""
    told = [(attempt, list(_told(attempt, say))) for attempt in attempts]
    parts: list[Part] = []
    for attempt, lines in told:
        if lines:
            entries = (part for name, text in lines for part in (element("dt", name), element("dd", text)))
            parts += [element("h3", name_of(attempt, say)), element("dl", join(entries))]
    return section("told", say("told"), *parts) if parts else None


def name_of(attempt: Results, say: Say) -> str:
    """Its number, and its title if it has one."""
    title = attempt.record.get("title")
    number = say("attempt n", number=attempt.number)
    return f"{number}: {plain(title)}" if title else number


def _has_best(found: Sequence[Field]) -> bool:
    return any(cell.best for field in found for cell in field.cells)


def _side_by_side(comparison: Comparison, found: Sequence[Field], say: Say) -> Markup:
    attempts = comparison.attempts
    header = (
        element("th", say("attempt n", number=attempt.number), Markup(" "), badge, scope="col")
        for attempt, badge in zip(attempts, _badges(attempts, say), strict=True)
    )
    bodies = [join(_words_lines(attempts, say))]
    for group, lines in groupby(found, key=lambda field: field.group):
        name = element("th", element("span", _group_name(group, say)), colspan=len(attempts) + 1, scope="rowgroup")
        rows = (_line(field.cells, _row_name(field), words=group == "settings") for field in lines)
        bodies.append(join([element("tr", name, class_="group"), *rows]))
    top = element("thead", element("tr", element("td"), *header))
    return element("table", top, *(element("tbody", body) for body in bodies), class_="attempts")


def _words_lines(attempts: Sequence[Results], say: Say) -> Iterator[Markup]:
    """Titles, and what was changed against the base, a line a setting; as the makers put it, where they did."""
    yield _line([Cell(plain(attempt.record.get("title") or None)) for attempt in attempts], say("name"), words=True)
    changed = [_changed(attempt, say) for attempt in attempts]
    if any(changed) and not _steps_tell(attempts):
        lines = (join(element("div", line) for line in entries or ["–"]) for entries in changed)
        cells = (element("td", inside, class_="words") for inside in lines)
        yield element("tr", element("th", say("changed"), scope="row"), *cells)


def _steps_tell(attempts: Sequence[Results]) -> bool:
    """Whether each stands right behind its base, so that the settings from step to step say it all."""
    behind = ((b.record.get("settings") or {}).get("base") == a.number for a, b in pairwise(attempts))
    as_told = (len(told_changes(attempt)) == len(changes(attempt)) for attempt in attempts[1:])
    return not changes(attempts[0]) and all(map(or_, behind, as_told))


def _changed(attempt: Results, say: Say) -> list[str]:
    settings, left_out = of_both_tracks([entry for entry in changes(attempt) if not is_told(entry)])
    more = [say("of one track", count=left_out)] if left_out else []
    return [*told_changes(attempt), *map(_change, settings), *more]


def _change(entry: Mapping[str, Any]) -> str:
    before, after = (_cut(plain(entry.get(key))) for key in ("before", "after"))
    return f"{plain(entry.get('key'))}: {before} → {after}"


def _row_name(field: Field) -> Part:
    return element("code", field.name.removeprefix("train.")) if field.group == "settings" else field.name


def _line(cells: Sequence[Cell], name: Part, *, words: bool) -> Markup:
    return element("tr", element("th", name, scope="row"), *(_data_cell(cell, words=words) for cell in cells))


def _below_each_other(comparison: Comparison, found: Sequence[Field], say: Say) -> Markup:
    """An attempt a row: what they are judged by first, then what they were told to do."""
    columns = sorted(found, key=lambda field: _COLUMNS.index(field.group))
    names = [say("attempt"), say("name"), *(_column_name(field, say) for field in columns)]
    header = (
        element("th", element("button", name, type="button"), scope="col", class_="words" if at == 1 else None)
        for at, name in enumerate(names)
    )
    attempts = comparison.attempts
    badges = _badges(attempts, say)
    rows = (_row(attempt, badges[at], [field.cells[at] for field in columns]) for at, attempt in enumerate(attempts))
    body = element("tbody", join(rows))
    return element("table", element("thead", element("tr", *header)), body, class_="attempts sortable")


def _row(attempt: Results, badge: Markup | None, cells: Sequence[Cell]) -> Markup:
    title = plain(attempt.record.get("title") or None)
    number = element("th", str(attempt.number), scope="row", data_order=attempt.number)
    named = element("td", title, Markup(" "), badge, class_="words", data_order=title)
    return element("tr", number, named, *(_data_cell(cell, words=False) for cell in cells))


def _data_cell(cell: Cell, *, words: bool) -> Markup:
    text = _cut(cell.text)
    shown = element("b", f"★ {text}", class_="good") if cell.best else text
    note = element("div", cell.note, class_="muted small") if cell.note else None
    whole = cell.text if text != cell.text else None
    return element("td", shown, note, class_="words" if words else None, data_order=cell.order, title=whole)


def _column_name(field: Field, say: Say) -> str:
    if field.group in ("val", "test"):
        return f"{field.group} {field.name}"
    return say("own figure", name=field.name) if field.group == "own" else field.name.removeprefix("train.")


def _group_name(group: Group, say: Say) -> str:
    if group in ("val", "test"):
        return say("judged on", split=group)
    return say("own group" if group == "own" else group)


def _badges(attempts: Sequence[Results], say: Say) -> list[Markup | None]:
    """Marks those that were made elsewhere, unless all were."""
    imported = [bool(attempt.record.get("imported")) for attempt in attempts]
    badge = element("span", say("made elsewhere"), class_="badge")
    return [badge if foreign and not all(imported) else None for foreign in imported]


def _told(attempt: Results, say: Say) -> Iterator[tuple[str, str]]:
    notes = (attempt.record.get("settings") or {}).get("notes")
    if notes:
        yield say("notes"), plain(notes)
    told = attempt.record.get("told") or {}
    for key, value in told.items() if isinstance(told, Mapping) else [("notes", told)]:
        if value and key not in ("changed", "group"):  # the table says the one, a title of the list the other
            yield say(key) if key in _TOLD else plain(key), plain(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
