"""Protobuf text without its descriptors: an ordered tree whose values stay as they were written.

Strings, numbers and names of enums are kept as text (`.08`, `'a' "b"`, RELU_6), so that what is not changed comes back
the same, whatever version of the API it was written for. Comments are left out.

Source: protobuf.dev/reference/protobuf/textformat-spec and protobuf's own Python parser, whose tokens these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf import text_encoding, text_format

MAX_CHARACTERS = 2**18
_MAX_DEPTH = 100
_SHOWN = 80  # characters of what is quoted in a complaint
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
_PLAIN = re.compile(r"[A-Za-z_][0-9A-Za-z_]*|-?(inf|nan)[a-z]*|-?\.?[0-9][0-9A-Za-z_.+-]*", re.IGNORECASE)
_NOT_DECIMAL = re.compile(r"-?0([xX][0-9A-Fa-f]+|[0-7]+)")
_CLOSING = {"{": "}", "<": ">"}


class BadText(ValueError):
    """No protobuf text, or not what is expected there; the text says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, and its value as written or the message that it holds."""

    name: str
    value: str | Message


@dataclass(slots=True)
class Message:
    """Fields in the order in which they were written; one that is repeated stands there several times."""

    fields: list[Field] = field(default_factory=list)

    def scalars(self, name: str) -> list[str]:
        """Values as written of a field that holds no message."""
        return [one.value for one in self.fields if one.name == name and isinstance(one.value, str)]

    def scalar(self, name: str) -> str | None:
        """The value that counts where a field is said several times: the last."""
        return next(reversed(self.scalars(name)), None)

    def messages(self, name: str) -> list[Message]:
        return [one.value for one in self.fields if one.name == name and isinstance(one.value, Message)]

    def message(self, name: str) -> Message | None:
        """The message of a field that is not repeated; several are joined into the first, as protobuf merges them."""
        found = self.messages(name)
        if len(found) > 1:
            joined = Message([one for message in found for one in message.fields])
            self.put(name, joined)
            return joined
        return found[0] if found else None

    def made(self, name: str) -> Message:
        """As `message`; an empty one is added where there is none."""
        found = self.message(name)
        if found is None:
            found = Message()
            self.put(name, found)
        return found

    def put(self, name: str, *values: str | Message) -> None:
        """Has a field hold just these values, where it stood first; else at the end."""
        at = next((number for number, one in enumerate(self.fields) if one.name == name), len(self.fields))
        self.drop(name)
        self.fields[at:at] = [Field(name, value) for value in values]

    def drop(self, *names: str) -> None:
        self.fields = [one for one in self.fields if one.name not in names]

    def walk(self) -> Iterator[Message]:
        """This message and all that it holds, at any depth."""
        yield self
        for one in self.fields:
            if isinstance(one.value, Message):
                yield from one.value.walk()


def parse(text: str) -> Message:
    """The tree of a text.

    Raises:
        BadText: no protobuf text, nested deeper than 100, or over MAX_CHARACTERS.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadText(f"{len(text)} characters are over the limit of {MAX_CHARACTERS}")
    return _Parser(text_format.Tokenizer(text.split("\n"))).message("", 0)


def dump(message: Message) -> str:
    """The text of a tree, one field a line; `parse` gives the same tree back."""
    return "".join(f"{line}\n" for line in _lines(message, ""))


def string_of(value: str) -> str:
    """What a value as written says: several strings in a row are one.

    Raises:
        BadText: it is no string.
    """
    try:
        return text_format.Tokenizer([value]).ConsumeString()
    except (text_format.ParseError, ValueError) as error:  # also bytes that are no UTF-8
        raise BadText(f"{value[:_SHOWN]} is no text in quotes") from error


def number_of(value: str) -> float:
    """
    Raises:
        BadText: it is no number.
    """
    try:
        if _NOT_DECIMAL.fullmatch(value):
            return float(text_format.ParseInteger(value, is_signed=True, is_long=True))
        return float(text_format.ParseFloat(value))
    except (ValueError, OverflowError) as error:
        raise BadText(f"{value[:_SHOWN]} is no number") from error


def quoted(text: str) -> str:
    """A string as a value is written.

    Raises:
        BadText: it is no Unicode: a file name with bytes that stand for no character.
    """
    try:
        return f'"{text_encoding.CEscape(text.encode(), as_utf8=True)}"'
    except UnicodeEncodeError as error:
        raise BadText(f"{text!r} is no Unicode") from error


@dataclass(slots=True)
class _Parser:
    tokens: text_format.Tokenizer

    def message(self, end: str, depth: int) -> Message:
        """Fields up to the token `end`, which is taken, too; empty: up to the end of the text."""
        if depth > _MAX_DEPTH:
            raise BadText(f"it is nested deeper than {_MAX_DEPTH}")
        found = Message()
        while self.tokens.token != end:
            found.fields += self._field(depth)
        if end:
            self.tokens.NextToken()
        return found

    def _field(self, depth: int) -> Iterator[Field]:
        """One field as written: with a list in brackets, as many as it has entries."""
        name = self._name()
        colon = self.tokens.TryConsume(":")
        if self.tokens.TryConsume("["):
            for value in self._list(depth):
                yield Field(name, value)
        else:
            yield Field(name, self._value(depth, colon))
        if not self.tokens.TryConsume(","):
            self.tokens.TryConsume(";")

    def _name(self) -> str:
        token = self.tokens.token
        if token == "[":  # of an extension, or of a type within Any
            return self._bracketed()
        if not _NAME.fullmatch(token):
            raise self._expected("the name of a field")
        self.tokens.NextToken()
        return token

    def _bracketed(self) -> str:
        parts = []
        while not self.tokens.TryConsume("]"):
            if not self.tokens.token:
                raise self._expected('"]"')
            parts.append(self.tokens.token)
            self.tokens.NextToken()
        return "".join(parts) + "]"

    def _list(self, depth: int) -> Iterator[str | Message]:
        if self.tokens.TryConsume("]"):
            return
        while True:
            yield self._value(depth, colon=True)
            if self.tokens.TryConsume("]"):
                return
            if not self.tokens.TryConsume(","):
                raise self._expected('"," or "]"')

    def _value(self, depth: int, colon: bool) -> str | Message:
        token = self.tokens.token
        if token in _CLOSING:
            self.tokens.NextToken()
            return self.message(_CLOSING[token], depth + 1)
        if not colon:
            raise self._expected('":" or "{"')
        if token[:1] in ("'", '"'):
            return self._strings()
        if not _PLAIN.fullmatch(token):
            raise self._expected("a value")
        self.tokens.NextToken()
        return token

    def _strings(self) -> str:
        """Strings in a row, as written."""
        parts = []
        while self.tokens.token[:1] in ("'", '"'):
            self._check_string()
            parts.append(self.tokens.token)
            self.tokens.NextToken()
        return " ".join(parts)

    def _check_string(self) -> None:
        try:
            string_of(self.tokens.token)
        except BadText as error:
            raise self._expected("a text in quotes, in UTF-8") from error

    def _expected(self, what: str) -> BadText:
        found = repr(self.tokens.token[:_SHOWN]) if self.tokens.token else "the end"
        line = self.tokens.ParseError("").GetLine()  # type: ignore[arg-type]  # it takes a text
        return BadText(f"line {line}: expected {what}, found {found}")


def _lines(message: Message, indent: str) -> Iterator[str]:
    for one in message.fields:
        if isinstance(one.value, str):
            yield f"{indent}{one.name}: {one.value}"
        else:
            yield f"{indent}{one.name} {{"
            yield from _lines(one.value, indent + "  ")
            yield f"{indent}}}"
