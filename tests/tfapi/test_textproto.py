"""Protobuf text as a tree: every way of writing it, values kept as written, round trips, trust."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.tfapi.textproto import (
    MAX_CHARACTERS,
    BadText,
    Field,
    Message,
    dump,
    number_of,
    parse,
    quoted,
    string_of,
)


def tree(*fields: tuple[str, str | Message]) -> Message:
    return Message([Field(name, value) for name, value in fields])


class TestParse:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("a: 1", tree(("a", "1")), id="a number"),
            pytest.param("a { b: 1 }", tree(("a", tree(("b", "1")))), id="a message"),
            pytest.param("a: { b: 1 }", tree(("a", tree(("b", "1")))), id="a message after a colon"),
            pytest.param("a < b: 1 >", tree(("a", tree(("b", "1")))), id="angle brackets"),
            pytest.param("a {} b: 2", tree(("a", tree()), ("b", "2")), id="an empty message"),
            pytest.param("a: 1, b: 2; c: 3", tree(("a", "1"), ("b", "2"), ("c", "3")), id="commas and semicolons"),
            pytest.param(
                "a { b: 1, }; c: 2", tree(("a", tree(("b", "1"))), ("c", "2")), id="semicolon after a message"
            ),
            pytest.param("# x\na: 1 # b: 2\n#", tree(("a", "1")), id="comments"),
            pytest.param("a: 'it\"s'", tree(("a", "'it\"s'")), id="single quotes"),
            pytest.param("a: \"x\" # one\n 'y'", tree(("a", "\"x\" 'y'")), id="a string in two parts"),
            pytest.param("a: [1.0, .5, 2]", tree(("a", "1.0"), ("a", ".5"), ("a", "2")), id="a short list"),
            pytest.param("a: [{b: 1}, <>]", tree(("a", tree(("b", "1"))), ("a", tree())), id="a list of messages"),
            pytest.param("a [{b: 1}]", tree(("a", tree(("b", "1")))), id="a list without a colon"),
            pytest.param("a: []", tree(), id="an empty list"),
            pytest.param("a: RELU_6 b: true", tree(("a", "RELU_6"), ("b", "true")), id="enum and bool"),
            pytest.param("a: -inf b: nan c: 1e-8", tree(("a", "-inf"), ("b", "nan"), ("c", "1e-8")), id="odd numbers"),
            pytest.param("a: 0x1F b: 1.5f", tree(("a", "0x1F"), ("b", "1.5f")), id="numbers of another base or size"),
            pytest.param("[x.y/z.W] { a: 1 }", tree(("[x.y/z.W]", tree(("a", "1")))), id="an extension"),
            pytest.param("a: 1\r\nb: 2\r\n", tree(("a", "1"), ("b", "2")), id="ends of lines from Windows"),
            pytest.param("", tree(), id="empty"),
        ],
    )
    def test_every_way_of_writing(self, text: str, expected: Message) -> None:
        assert parse(text) == expected
        assert parse(dump(expected)) == expected

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("a: 1\nb:", "line 2: expected a value, found the end", id="no value"),
            pytest.param("a\nb: 1", 'line 2: expected ":" or "{", found \'b\'', id="no colon"),
            pytest.param("a {\n b: 1\n", "line 3: expected the name of a field, found the end", id="not closed"),
            pytest.param("a { b: 1 >", "line 1: expected the name of a field, found '>'", id="closed by another"),
            pytest.param("}", "line 1: expected the name of a field, found '}'", id="closed without being opened"),
            pytest.param("a: [1 2]", 'line 1: expected "," or "]", found \'2\'', id="a list without commas"),
            pytest.param("a: [1, ]", "line 1: expected a value, found ']'", id="a list that ends in a comma"),
            pytest.param("[a", 'line 1: expected "]", found the end', id="an extension without end"),
            pytest.param('a: "x', "line 1: expected a text in quotes, in UTF-8, found '\"x'", id="a quote without end"),
            pytest.param('a: "\\xff"', "line 1: expected a text in quotes, in UTF-8", id="no UTF-8"),
            pytest.param("a: - 1", "line 1: expected a value, found '-'", id="a minus alone"),
            pytest.param("1: 2", "line 1: expected the name of a field, found '1'", id="a number for a name"),
            pytest.param("학습: 2", "line 1: expected the name of a field, found '학'", id="another script"),
            pytest.param("a: \0", "line 1: expected a value, found '\\x00'", id="NUL"),
            pytest.param("a {" * 101 + "}" * 101, "it is nested deeper than 100", id="deep"),
            pytest.param("a {" * 50_000, "it is nested deeper than 100", id="deeper"),
            pytest.param("#" * (MAX_CHARACTERS + 1), "262145 characters are over the limit of 262144", id="long"),
        ],
    )
    def test_what_is_no_text_is_refused_with_its_line(self, text: str, said: str) -> None:
        with pytest.raises(BadText) as caught:
            parse(text)
        assert str(caught.value).startswith(said)
        assert len(str(caught.value)) < 250

    def test_a_hundred_deep_is_read(self) -> None:
        assert len(list(parse("a {" * 100 + "}" * 100).walk())) == 101

    @given(st.text(max_size=60) | st.text(alphabet="ab:{}<>[]\"'\\,;#1.-_\n ", max_size=60))
    @settings(max_examples=300, deadline=None)
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            found = parse(text)
        except BadText:
            return
        assert parse(dump(found)) == found

    def test_long_strings_of_backslashes_take_no_time(self) -> None:
        with pytest.raises(BadText):
            parse("a: '" + "\\a" * 5000)


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(quoted) | st.sampled_from(
    ["1", "-4.6", ".08", "1e-8", "RELU_6", "true", "0x10", "'a' \"b\""]
)
trees = st.recursive(
    st.builds(Message, st.lists(st.builds(Field, names, values), max_size=4)),
    lambda inner: st.builds(Message, st.lists(st.builds(Field, names, values | inner), max_size=4)),
    max_leaves=12,
)


class TestRoundTrip:
    @given(trees)
    @settings(max_examples=100, deadline=None)
    def test_dump_and_parse_give_the_same_tree(self, message: Message) -> None:
        assert parse(dump(message)) == message

    def test_literally(self) -> None:
        text = "model: <ssd {num_classes: 3}>; # three\nscales: [1, .5] name: \"가\" 'b'"
        assert dump(parse(text)) == (
            "model {\n  ssd {\n    num_classes: 3\n  }\n}\nscales: 1\nscales: .5\nname: \"가\" 'b'\n"
        )


class TestValues:
    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
    @settings(max_examples=100, deadline=None)
    def test_any_text_survives_quoting(self, text: str) -> None:
        assert string_of(quoted(text)) == text

    def test_a_text_that_is_no_unicode_is_refused(self) -> None:
        with pytest.raises(BadText, match="is no Unicode"):
            quoted("photo\udcff.jpg")

    @pytest.mark.parametrize(
        ("value", "said"), [("\"a\" 'b'", "ab"), (r'"\355\225\234"', "한"), (r'"a\"\n"', 'a"\n'), ('""', "")]
    )
    def test_strings(self, value: str, said: str) -> None:
        assert string_of(value) == said

    @pytest.mark.parametrize(
        ("value", "number"), [("0x10", 16), ("010", 8), ("1.5f", 1.5), (".08", 0.08), ("-4.6", -4.6), ("2e3", 2000)]
    )
    def test_numbers(self, value: str, number: float) -> None:
        assert number_of(value) == number

    @pytest.mark.parametrize("value", ["RELU_6", '"3"', "", "1.2.3", "0x" + "f" * 400])
    def test_what_is_no_number_is_refused(self, value: str) -> None:
        with pytest.raises(BadText, match="is no number"):
            number_of(value)

    def test_a_number_is_no_string(self) -> None:
        with pytest.raises(BadText, match="12 is no text in quotes"):
            string_of("12")


class TestMessage:
    def test_the_last_of_several_values_counts_as_in_protobuf(self) -> None:
        assert parse("a: 1 b: 3 a: 2").scalar("a") == "2"
        assert parse("b: 3").scalar("a") is None

    def test_several_messages_of_one_field_are_joined_as_in_protobuf(self) -> None:
        found = parse("t { a: 1 } x: 0 t { b: 2 }")
        assert found.message("t") == parse("a: 1 b: 2")
        assert found == parse("t { a: 1 b: 2 } x: 0")

    def test_put_keeps_the_place_and_adds_at_the_end(self) -> None:
        found = parse("a: 1 b: 2 a: 3 c: 4")
        found.put("a", "9")
        found.put("d", "5", "6")
        found.drop("c")
        assert found == parse("a: 9 b: 2 d: 5 d: 6")
