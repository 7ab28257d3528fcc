"""What is left of what a library says."""

from __future__ import annotations

import pytest

from yolo_pipeline.runtimes.complaints import complaint


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("ERROR ❌️ best.pt is empty\nGet it", "best.pt is empty Get it", id="Ultralytics' mark"),
        pytest.param("WARNING ⚠️ no GPU ❌ 닭", "no GPU 닭", id="several"),
        pytest.param("\x1b[34m\x1b[1mAMP: \x1b[0mchecks\x1b[38;5;1m failed", "AMP: checks failed", id="terminal codes"),
        pytest.param("ERROR 5 on [34m]", "ERROR 5 on [34m]", id="words that look like them"),
        pytest.param("", "ValueError", id="nothing"),
        pytest.param("a command or two", "a command or two", id="just as long"),
        pytest.param("a command or three", "a command or …", id="cut at a word"),
        pytest.param("x" * 17, "x" * 14 + " …", id="one long word"),
    ],
)
def test_a_complaint_is_a_plain_line_that_ends_at_a_word(said: str, shown: str) -> None:
    assert complaint(ValueError(said), 16) == shown or complaint(ValueError(said)) == shown
    assert len(complaint(ValueError(said), 16)) <= 16
