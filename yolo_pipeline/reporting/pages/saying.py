"""Words of a page in English and Korean. Names, settings and figures stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from yolo_pipeline.reporting.pages.shell import Language

Both = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Say:
    """A page's words in one language, as text that is still to be escaped."""

    lang: Language
    words: Mapping[str, Both]

    def __call__(self, key: str, **values: object) -> str:
        return self.of(self.words[key]).format_map(values)

    def of(self, both: Both) -> str:
        return both[self.lang == "ko"]

    def some(self, keys: Iterable[str]) -> dict[str, str]:
        """Those that a script says."""
        return {key: self.of(self.words[key]) for key in keys}
