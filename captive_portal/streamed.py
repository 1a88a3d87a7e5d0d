"""Mappings of thousands of sessions that are made out one by one: all at once they would be megabytes, each minute."""

from abc import abstractmethod
from collections.abc import ItemsView, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Value_co = TypeVar("Value_co", covariant=True)


class Streamed(Mapping[Key, Value_co]):
    """A mapping that knows best how to tell its pairs one after the other."""

    @abstractmethod
    def each(self) -> Iterator[tuple[Key, Value_co]]:
        """Each key once, with its value."""

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self.each())

    def items(self) -> ItemsView[Key, Value_co]:
        """See :meth:`dict.items`."""
        return _Items(self)


class _Items(ItemsView[Key, Value_co]):
    _mapping: Streamed[Key, Value_co]

    def __iter__(self) -> Iterator[tuple[Key, Value_co]]:
        return self._mapping.each()
