"""YAML files from strangers, read by the safe loader: nothing that they say is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 2**22


class BadYaml(ValueError):
    """The file cannot be read as YAML; the text says why and in which line, without the file's name."""


class _Loader(yaml.SafeLoader):
    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        value = super().construct_yaml_int(node)
        str(value)  # a ValueError now and not where it is shown: Python writes no numbers of thousands of digits
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def load_yaml(file: Path) -> Any:
    """What a YAML file holds; None where it is empty.

    Raises:
        BadYaml: not YAML in UTF-8, a tag that asks for an object, nested too deep, over MAX_BYTES, or unreadable.
    """
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise BadYaml(f"{size} bytes are over the limit of {MAX_BYTES}")
        return parse_yaml(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadYaml(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise BadYaml(f"it is not UTF-8: {error}") from error


def parse_yaml(text: str) -> Any:
    """What a YAML text holds.

    Raises:
        BadYaml: as `load_yaml`.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadYaml(f"{line}{error.problem or 'it is not YAML'}") from error
    except RecursionError as error:
        raise BadYaml("it is nested too deep") from error
    except Exception as error:  # `!!bool maybe` is a KeyError, `!!int ""` an IndexError, and so on
        raise BadYaml(f"a value is not what its tag says, or it is not YAML ({error})") from error
