"""Types that say how they are checked, without the library that does it."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from parvis.shapes import After, Before, Closed, matching, within


def _short(text: str) -> str:
    if len(text) > 3:
        raise ValueError("that is too long")
    return text.upper()


@dataclass(frozen=True, slots=True)
class Thing(Closed):
    number: Annotated[int, Before(lambda value: value * 2), within(1, 10)]
    word: Annotated[str, matching("[a-d]*"), After(_short)] = ""


def test_what_is_written_becomes_the_plain_thing() -> None:
    assert TypeAdapter(Thing).validate_python({"number": 4, "word": "abc"}) == Thing(8, "ABC")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"number": 6}, "number"),
        ({"number": 0}, "number"),
        ({"number": 1, "word": "abcd"}, "too long"),
        ({"number": 1, "word": "x"}, "does not match"),
        ({"number": 1, "wrod": "a"}, "wrod"),
        ({}, "number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Thing).validate_python(written)


def test_types_and_secrets_load_no_library() -> None:
    script = "import sys, parvis.values, parvis.secrets, parvis.shapes; print('pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert said == "False\n"
