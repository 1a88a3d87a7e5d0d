"""The machine as the commands of this room see it: the only place here that starts programs."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE_SECONDS = 120.0
HANGS = 124
"""The code of a program that has not answered in time, as timeout(1) has it."""


class ProgramFailed(Exception):
    """A program refused; what it said tells who must act."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said."""

    code: int
    text: str
    complaint: str


def ask(*argv: str, given: bytes | None = None, seconds: float = PATIENCE_SECONDS) -> Answer:
    """Run *argv* and collect what it says; a program that is not there answers 127, one that hangs HANGS."""
    try:
        done = subprocess.run(argv, input=given, capture_output=True, timeout=seconds, check=False)  # noqa: S603 fixed words
    except FileNotFoundError:
        return Answer(127, "", f"{argv[0]}: not installed")
    except subprocess.TimeoutExpired:
        return Answer(HANGS, "", f"no answer in {seconds:g} s")
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def must(*argv: str, given: bytes | None = None, seconds: float = PATIENCE_SECONDS) -> str:
    """Like :func:`ask`; ProgramFailed with the program's own words unless it ended well."""
    answer = ask(*argv, given=given, seconds=seconds)
    if answer.code:
        raise ProgramFailed(f"{' '.join(argv)}: {(answer.complaint or answer.text).strip() or answer.code}")
    return answer.text


def lines(*argv: Sequence[str] | str) -> list[str]:
    """The lines a program writes; none when it refuses."""
    return ask(*map(str, argv)).text.splitlines()
