"""Who may do what in the console: one table."""

from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    READER = "reader"
    TECHNICIAN = "technician"
    ADMINISTRATOR = "administrator"
    DPO = "dpo"
    REQUISITION = "requisition"
    """Answers lawful requests from store A; nothing in the console is for this role, nor for the next two."""
    REQUISITION_B = "requisition-b"
    """The same from store B."""
    SECURITY = "security"
    """Reads store C."""


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
    Role.REQUISITION: frozenset(),
    Role.REQUISITION_B: frozenset(),
    Role.SECURITY: frozenset(),
}
"""Who works with devices does not read the audit log, and who reads it sees no device."""
