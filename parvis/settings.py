"""How a process runs: a TOML file, the environment (``PARVIS_…``), and secrets by name.

A room subclasses :class:`ProcessSettings` with its own fields and loads it with :func:`load`.
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from parvis.inventory import DEMO_TOWN
from parvis.secrets import SecretMissing as SecretMissing  # noqa: PLC0414 for everybody who imports settings
from parvis.secrets import SettingsError as SettingsError  # noqa: PLC0414 as well
from parvis.secrets import find_secret as find_secret  # noqa: PLC0414 as well
from parvis.values import Secret

PREFIX = "PARVIS_"
ELSEWHERE = ("PARVIS_SETTINGS",)
"""Variables that are read before the settings themselves."""


class ProcessSettings(BaseSettings):
    """What every process needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True
    )

    town: Path = DEMO_TOWN
    """The folder that describes the town."""
    state: Path = Path("/var/lib/parvis")
    """Where the process keeps what must survive a restart."""
    run: Path = Path("/run/parvis")
    """Where sockets are."""
    secrets: Path | None = None
    """A folder with one file a secret; systemd's credentials are looked at first."""
    listen: str = "127.0.0.1"
    """Address of /metrics and /healthz."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of /metrics and /healthz; 0: the process' own (parvis/processes.py)."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lines below this level are not written."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the parent's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the parent's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line wins over the environment, which wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def secret(self, name: str) -> Secret:
        """The secret called *name*: systemd's credential, else a file of the *secrets* folder."""
        return find_secret(name, self.secrets)


Settings = TypeVar("Settings", bound=ProcessSettings)


def load(model: type[Settings], file: Path | None = None, **overrides: object) -> Settings:
    """Settings from *file* (or ``PARVIS_SETTINGS``), the environment and *overrides*; or SettingsError."""
    named = file or (Path(os.environ["PARVIS_SETTINGS"]) if os.environ.get("PARVIS_SETTINGS") else None)
    if named is not None and not named.is_file():
        raise SettingsError(f"{named}: no such settings file; check --settings or PARVIS_SETTINGS")
    config = SettingsConfigDict(**{**model.model_config, "toml_file": named})
    located = type(model.__name__, (model,), {"model_config": config, "__module__": model.__module__})
    try:
        made: Settings = located(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("\n".join(_described(model, detail, named) for detail in error.errors())) from error
    except ValueError as error:  # broken TOML
        raise SettingsError(f"{named}: is not TOML: {error}") from error
    return made


def unknown_variables(model: type[BaseModel], environment: Mapping[str, str]) -> list[str]:
    """The PARVIS_… variables that *model* does not read: perhaps another process', perhaps a typing error."""
    known = {PREFIX + name.upper() for name in model.model_fields}
    names = (name for name in environment if name.startswith(PREFIX) and name not in ELSEWHERE)
    return sorted(name for name in names if name.split("__")[0].upper() not in known)


def _described(model: type[BaseModel], detail: object, file: Path | None) -> str:
    if not isinstance(detail, dict):  # pydantic's ErrorDetails is a TypedDict
        return str(detail)
    path = ".".join(str(part) for part in detail["loc"])
    text = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(path, model.model_fields, n=1)
        text = "unknown key" + (f"; did you mean {near[0]}?" if near else f"; known: {', '.join(model.model_fields)}")
    return f"{file or 'settings'}: {path}: {text}"


class Frozen(BaseModel):
    """A closed, frozen settings section for rooms to build on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
