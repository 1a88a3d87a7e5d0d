"""Where a site is, what kind of place it is, its sign at the door, and what the town publishes about it."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from parvis.inventory.wording import Line, Part

Url = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[^\s\"<>]*)?$", max_length=200)]


class SiteKind(StrEnum):
    """The kinds of places where residents connect."""

    PUBLIC_SERVICES_HOUSE = "public-services-house"
    CITIZEN_RELATIONS_DESK = "citizen-relations-desk"
    LIBRARY = "library"
    SPORTS_COMPLEX = "sports-complex"
    SQUARE = "square"
    PARK = "park"
    TOWN_HALL = "town-hall"
    NURSERY = "nursery"
    PRIMARY_SCHOOL = "primary-school"
    MIDDLE_SCHOOL = "middle-school"


CHILDREN = frozenset({SiteKind.NURSERY, SiteKind.PRIMARY_SCHOOL, SiteKind.MIDDLE_SCHOOL})
"""Where only the neighbourhood of the place is published."""


class Location(Part):
    """Where the site is, for the map and the open data; degrees are WGS 84 (EPSG:4326).

    *access*: where one can connect. *step_free*: a wheelchair comes in without help; None: not known. *wifi*: the
    generation by the Wi-Fi Alliance's number.
    """

    address: Line
    postcode: str = Field(pattern=r"^[0-9]{5}$")
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    access: Literal["indoor", "outdoor", "both"] = "indoor"
    step_free: bool | None = None
    wifi: Annotated[int, Field(ge=4, le=8)] | None = None


class Pictogram(Part):
    """The sign at the entrance that says there is Wi-Fi here: when it was put up, and where its photograph is kept."""

    installed: date
    photo: Line | None = None


class Opendatasoft(Part):
    """A portal that takes records by its push API. *resources*: our dataset -> its ``dataset/resource``."""

    url: Url
    resources: dict[str, Annotated[str, Field(pattern=r"^[a-z0-9_@-]+/[a-z0-9_-]+$")]] = Field(min_length=1)

    @staticmethod
    def secret(dataset: str) -> str:
        """The name of the secret that is the push key of our *dataset*."""
        return f"push-{dataset}"


DATA_GOUV_SECRET = "data-gouv-key"  # noqa: S105 a name


class DataGouv(Part):
    """data.gouv.fr. *datasets*: our dataset -> its identifier there."""

    url: Url = "https://www.data.gouv.fr"
    datasets: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]] = Field(min_length=1)


class OpenData(Part):
    """What the town publishes, and where. *page*: where the export folder is to be read; *insee*: the town's code."""

    commune: Line
    insee: str = Field(pattern=r"^([0-9]{2}|2[AB])[0-9]{3}$")
    page: Url
    opendatasoft: Opendatasoft | None = None
    data_gouv: DataGouv | None = None

    def secrets(self) -> list[str]:
        """The names of the secrets by which portals take what is pushed."""
        keys = [Opendatasoft.secret(name) for name in self.opendatasoft.resources] if self.opendatasoft else []
        return sorted([*keys, *([DATA_GOUV_SECRET] if self.data_gouv else [])])

    def pushed(self) -> bool:
        """Whether a portal is named to which the export is pushed."""
        return self.opendatasoft is not None or self.data_gouv is not None
