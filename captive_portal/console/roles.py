"""Who may do what in the console: one table."""

from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    READER = "reader"
    TECHNICIAN = "technician"
    ADMINISTRATOR = "administrator"
    DPO = "dpo"


class Action(StrEnum):
    """What can be done."""

    OVERVIEW = "overview"
    SESSIONS = "sessions"
    DEVICE = "device"
    FIGURES = "figures"
    DISCONNECT = "disconnect"
    BLOCK = "block"
    BANNER = "banner"
    CLOSE = "close"
    OPEN_DOOR = "open-door"
    DISCONNECT_ALL = "disconnect-all"
    AUDIT = "audit"


_SEE = {Action.OVERVIEW, Action.SESSIONS, Action.DEVICE, Action.FIGURES}
_WORK = {*_SEE, Action.DISCONNECT, Action.BLOCK, Action.BANNER, Action.CLOSE, Action.OPEN_DOOR}
MAY: dict[Role, frozenset[Action]] = {
    Role.READER: frozenset(_SEE),
    Role.TECHNICIAN: frozenset(_WORK),
    Role.ADMINISTRATOR: frozenset({*_WORK, Action.DISCONNECT_ALL}),
    Role.DPO: frozenset({Action.OVERVIEW, Action.FIGURES, Action.AUDIT}),
}
"""Who works with devices does not read the audit log, and who reads it sees no device."""
