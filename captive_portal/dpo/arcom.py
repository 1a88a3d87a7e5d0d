"""A letter from Arcom (CPI L.336-3, R.335-5): what came, what is in place, until when a second one counts. No I/O."""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, Field

from parvis.settings import Frozen


class Letter(Frozen):
    """One recommendation. *alleged*: when the infringement is said to have happened; *measures*: what is in place."""

    number: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{3}$")]
    received: date
    reference: Annotated[str, Field(min_length=1, max_length=100)]
    alleged: AwareDatetime
    measures: tuple[Annotated[str, Field(min_length=3, max_length=300)], ...] = Field(min_length=1)

    @property
    def watch_ends(self) -> date:
        """The last day on which a renewed use would count: one year (R.335-5 II 2°)."""
        try:
            return self.received.replace(year=self.received.year + 1)
        except ValueError:  # 29 February
            return self.received.replace(year=self.received.year + 1, day=28)

    def watched(self, today: date) -> bool:
        """Whether a second letter today would count."""
        return today <= self.watch_ends
