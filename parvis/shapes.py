"""How a value from a file is checked, written into its type by classes that need no pydantic.

pydantic finds them in ``Annotated[…]`` and asks them what to do. So the types that a process works with can be imported
without the library that checked them when they were read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Before:
    """What *function* makes of a value as written is checked in its place; its ValueError is the fault."""

    function: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import BeforeValidator  # noqa: PLC0415 see above

        return BeforeValidator(self.function).__get_pydantic_core_schema__(source, handler)


@dataclass(frozen=True, slots=True)
class After:
    """What was checked is given to *function*, whose result is the value; its ValueError is the fault."""

    function: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import AfterValidator  # noqa: PLC0415 see above

        return AfterValidator(self.function).__get_pydantic_core_schema__(source, handler)


def within(least: float, most: float | None = None) -> After:
    """A number from *least* to *most*."""

    def check(number: float) -> float:
        if number < least or (most is not None and number > most):
            bounds = f"from {least:g} to {most:g}" if most is not None else f"{least:g} or more"
            raise ValueError(f"{number!r} is out of bounds; write a number {bounds}")
        return number

    return After(check)


def matching(pattern: str) -> After:
    """A text that is wholly of *pattern*."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} does not match {pattern}")
        return text

    return After(check)


class Closed:
    """A dataclass that takes no keys but its own when pydantic makes one of what is written."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
