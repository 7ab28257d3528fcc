"""What to try next after an attempt, and attempts/N.yaml with it."""

from __future__ import annotations

import json
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import attempt as attempts
from yolo_pipeline.attempt import Attempt, differences
from yolo_pipeline.attempt_files import attempt_file, attempt_numbers
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.errors import AttemptError, one_line
from yolo_pipeline.files import write_text
from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.reporting.diagnosed import NOTHING_JUDGED, advice_lines
from yolo_pipeline.run import finished_runs

_WIDTH = 100
_NAMED = 8
_NOT_TRAINED = "detect."
"""Keys that change how detections are used: an attempt of these alone would train the same thing again."""

Change = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is advised after attempt `number`.

    Attributes:
        advice: the most important first; empty: nothing was found.
        file: the attempt that was written, or None.
        said: why none was, or what was left out of it, each a sentence without a full stop.
    """

    number: int
    advice: tuple[Advice, ...]
    file: Path | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """A change with the advice that it comes from."""

    change: Change
    advice: tuple[Advice, ...]


def suggest(root: Path, number: int, in_words: Callable[[Advice], Advice] = lambda advice: advice) -> Suggestion:
    """Reads the saved results of attempt `number` and writes the next free attempts/N.yaml, built on it.

    Nothing is written where nothing is advised but work by hand or another confidence for detection, or where an
    attempt that says the same is there.

    Args:
        in_words: what becomes of each advice before it is written, such as its sentences in another language.

    Raises:
        InputError: the attempt is not finished, or a saved file is damaged.
    """
    results = results_of(root, number)
    advice = tuple(in_words(one) for one in results.advice)
    if not advice:
        judged = "val" in results.diagnoses or "val" in results.classified
        return Suggestion(number, (), said=("nothing found" if judged else NOTHING_JUDGED,))
    if not attempt_file(root, number).is_file():
        return Suggestion(number, advice, said=(f"attempts/{number}.yaml is not there: no attempt can build on it",))
    attempts.load(root, number)
    steps, left_out = _steps(root, number, advice)
    if all(step.change[0].startswith(_NOT_TRAINED) for step in steps):
        return Suggestion(number, advice, said=(*left_out, _nothing_to_train(steps)))
    free = _free_number(root)
    text = _text(number, advice, steps)
    if (same := _same_as(root, _loaded(root, free, text))) is not None:
        return Suggestion(number, advice, said=(*left_out, f"attempts/{same}.yaml says the same already"))
    file = attempt_file(root, free)
    write_text(file, text)
    return Suggestion(number, advice, file, left_out)


def as_json(suggestion: Suggestion) -> dict[str, Any]:
    """What `suggest --json` prints."""
    return {
        "attempt": suggestion.number,
        "advice": [asdict(advice) for advice in suggestion.advice],
        "file": suggestion.file.as_posix() if suggestion.file else None,
        "said": list(suggestion.said),
    }


def lines(suggestion: Suggestion, lang: Literal["en", "ko"] = "en") -> Iterator[str]:
    """The advice for the terminal, then what was written or why nothing was."""
    if suggestion.advice:
        yield from advice_lines(suggestion.advice, lang)
    yield from suggestion.said
    if suggestion.file is not None:
        yield f"wrote {suggestion.file.as_posix()}"


def _steps(root: Path, number: int, advice: Iterable[Advice]) -> tuple[list[_Step], tuple[str, ...]]:
    """The changes that can be made together, each checked with those before it; and what was left out."""
    steps: dict[str, _Step] = {}
    left_out: list[str] = []
    for one in advice:
        for key, value in one.changes:
            there = steps.get(key)
            if there is not None and there.change[1] == value:
                steps[key] = _Step(there.change, (*there.advice, one))
            elif other := next((k for k in steps if _overlap(k, key)), None):
                left_out.append(f"{one.rule}: {key}: {_value(value)} is left out, as {other} is changed already")
            else:
                steps[key] = _Step((key, value), (one,))
        refused = _refusal(root, number, list(steps.values()))
        if refused:
            mine = [key for key, step in steps.items() if step.advice == (one,)]
            left_out += [f"{one.rule}: {key} is left out: {refused}" for key in mine]
            steps = {key: step for key, step in steps.items() if key not in mine}
    return list(steps.values()), tuple(left_out)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _refusal(root: Path, number: int, steps: list[_Step]) -> str:
    """Why an attempt with these changes would be refused; empty where it would not."""
    try:
        _loaded(root, _free_number(root), _text(number, (), steps))
    except AttemptError as error:
        return error.reason
    return ""


def _loaded(root: Path, number: int, text: str) -> Attempt:
    """Attempt `number` as it would be with this text, which is not put into the project for it.

    Raises:
        AttemptError: it says something that is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="suggest-") as folder:
        beside = Path(folder)
        (beside / "attempts").mkdir()
        for file in (root / "data.yaml", *(attempt_file(root, known) for known in attempt_numbers(root))):
            if file.is_file():
                shutil.copyfile(file, beside / file.relative_to(root))
        write_text(attempt_file(beside, number), text)
        return attempts.load(beside, number)


def _same_as(root: Path, wanted: Attempt) -> int | None:
    """The attempt that builds on the same base and says the same."""
    for number in attempt_numbers(root):
        try:
            there = attempts.load(root, number)
        except AttemptError:
            continue
        if there.base == wanted.base and not list(differences(there.settings(), wanted.settings())):
            return number
    return None


def _free_number(root: Path) -> int:
    return max([0, *attempt_numbers(root), *(number for number, _ in finished_runs(root))]) + 1


def _nothing_to_train(steps: list[_Step]) -> str:
    if steps:
        keys = ", ".join(step.change[0] for step in steps)
        return f"no attempt was written: it would train the same again. Mend {keys} where it is said"
    return "no attempt was written: what is advised is work by hand"


def _text(number: int, advice: Iterable[Advice], steps: list[_Step]) -> str:
    """An attempt's file: its changes, with the reason of each above it, and what is work by hand below."""
    rules = dict.fromkeys(one.rule for step in steps for one in step.advice)
    rows = [f"title: {_value(', '.join(rules))}", f"base: {number}"]
    rows += _block(steps, "", set())
    for one in advice:
        if not one.changes:
            pictures = f" Pictures: {_named(one.images)}" if one.images else ""
            rows += ["", *_comment(f"By hand, {one.rule}: {one.measured}. {one.remedy}.{pictures}", "")]
    return "\n".join(rows) + "\n"


def _block(steps: list[_Step], prefix: str, told: set[str]) -> Iterator[str]:
    """The lines of the changes below a dotted prefix, keys of one mapping together; a reason is told once."""
    indent = "  " * prefix.count(".")
    names = dict.fromkeys(step.change[0].removeprefix(prefix).split(".")[0] for step in steps)
    for name in names:
        key = f"{prefix}{name}"
        leaf = next((step for step in steps if step.change[0] == key), None)
        if leaf is not None:
            reasons = {f"{one.rule}: {one.measured}. {one.remedy}." for one in leaf.advice} - told
            for reason in sorted(reasons):
                yield from _comment(reason, indent)
            told |= reasons
            yield f"{indent}{name}: {_value(leaf.change[1])}"
        else:
            yield f"{indent}{name}:"
            yield from _block([s for s in steps if s.change[0].startswith(f"{key}.")], f"{key}.", told)


def _comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(one_line(text), _WIDTH, initial_indent=start, subsequent_indent=start)


def _value(value: Any) -> str:
    """JSON, which YAML reads as it is meant."""
    return json.dumps(value, ensure_ascii=False)


def _named(names: Iterable[str]) -> str:
    names = [one_line(name) for name in names]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
