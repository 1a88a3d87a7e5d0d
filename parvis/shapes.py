"""How a value from a file is checked, written into its type by classes that need no pydantic.

pydantic finds them in ``Annotated[…]`` and asks them what to do. So the types that a process works with can be imported
without the library that checked them when they were read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar


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


class Within:
    """The bounds of pydantic.Field: ``ge``, ``le``, ``pattern`` and the like."""

    def __init__(self, **bounds: Any) -> None:
        self._bounds = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import Field  # noqa: PLC0415 see above

        return handler.generate_schema(Annotated[source, Field(**self._bounds)])


class Closed:
    """A dataclass that takes no keys but its own when pydantic makes one of what is written."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
