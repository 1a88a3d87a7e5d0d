"""Everything that can go wrong with one SNMP request, each named for its cause and saying whose move it is.

``reason`` is the word that leaves the process: it is the label of ``snmp_poll_failures_total`` and what staff read.
"""

from typing import ClassVar


class SnmpError(Exception):
    """One request to one agent failed; ``reason`` names the cause in one word."""

    reason: ClassVar[str] = "failed"
    advice: ClassVar[str] = "look at the collectors' log"


class Malformed(SnmpError):
    """The bytes are not BER as SNMP uses it (RFC 3417 section 8); the agent or something in between is at fault."""

    reason = "garbage"
    advice = "something answers on this port, but it does not speak SNMP; check address and port"


class Silent(SnmpError):
    """The agent did not answer in time; it may be off, rebooting, filtered, or not know our community."""

    reason = "silent"
    advice = (
        "nothing came back; check power, cable, address and firewall, and the community: "
        "an SNMPv2c agent says nothing at all to a wrong one"
    )


class Refused(SnmpError):
    """The host answered by ICMP that nothing listens on this port, or that it cannot be reached."""

    reason = "refused"
    advice = "the host is there, but no SNMP agent listens on this port; enable SNMP on the device"


class Unreachable(SnmpError):
    """Our own machine has no way to send there; check its addresses and routes."""

    reason = "unreachable"
    advice = "this machine has no route to that address; check the management network"


class BadName(SnmpError):
    """The name of the host could not be resolved."""

    reason = "bad_name"
    advice = "the host name does not resolve; check the spelling or the DNS server"


class AgentError(SnmpError):
    """The agent answered with an error-status (RFC 3416 section 3); it understood the request and could not serve it.

    ``status`` is the number of the error-status, ``index`` counts the offending variable from 1 (0: none).
    """

    reason = "agent_error"
    advice = "the agent refuses to serve these objects; check its view or its firmware"

    def __init__(self, status: int, index: int) -> None:
        super().__init__(f"{ERROR_STATUS.get(status, 'unknown')}({status}) at variable {index}")
        self.status = status
        self.index = index


class NotAuthorized(AgentError):
    """authorizationError: the community or user is known, but the agent gives it nothing to read this way."""

    reason = "not_authorized"
    advice = "the device knows us, but grants nothing at this security level; correct its SNMP view or access group"


class NothingShown(SnmpError):
    """The agent answers and has not even the system group for us."""

    reason = "nothing_shown"
    advice = "the device answers, but shows nothing of itself; widen the SNMP view of our community or user"


ERROR_STATUS = {
    1: "tooBig", 2: "noSuchName", 3: "badValue", 4: "readOnly", 5: "genErr", 6: "noAccess", 7: "wrongType",
    8: "wrongLength", 9: "wrongEncoding", 10: "wrongValue", 11: "noCreation", 12: "inconsistentValue",
    13: "resourceUnavailable", 14: "commitFailed", 15: "undoFailed", 16: "authorizationError",
    17: "notWritable", 18: "inconsistentName",
}  # fmt: skip
"""error-status by number (RFC 3416 section 3)."""
TOO_BIG = 1
NO_SUCH_NAME = 2
AUTHORIZATION_ERROR = 16


class Unauthentic(SnmpError):
    """A reply whose HMAC, engine, user or security level is not what the exchange demands; somebody may be forging."""

    reason = "unauthentic"
    advice = "replies arrive that are not signed with our key; look for a duplicate address or an attack"


class UndecipherableReply(SnmpError):
    """A signed reply could not be decrypted into a scoped PDU: the privacy passwords or protocols differ."""

    reason = "wrong_privacy_password"
    advice = "the privacy password or protocol differs from the device's; compare the credential with the device"


class UsmReport(SnmpError):
    """The agent rejected our message and reported why (RFC 3414 section 3.2); never to be taken for data."""

    reason = "usm_report"


class UnsupportedSecurityLevel(UsmReport):
    """usmStatsUnsupportedSecLevels: the user exists, but not with this level of security."""

    reason = "unsupported_security_level"
    advice = "the user exists on the device, but not with this authentication or encryption"


class NotInTimeWindow(UsmReport):
    """usmStatsNotInTimeWindows: boots or time are off by more than 150 s, even after one resynchronisation."""

    reason = "not_in_time_window"
    advice = "the device's clock runs wild, or two devices share one engine ID (cloned configuration)"


class UnknownUser(UsmReport):
    """usmStatsUnknownUserNames: the agent has no such user."""

    reason = "unknown_user"
    advice = "the device does not know this SNMPv3 user; create it there or correct the name"


class UnknownEngine(UsmReport):
    """usmStatsUnknownEngineIDs: the agent keeps denying its own engine ID."""

    reason = "unknown_engine"
    advice = "the device keeps changing its engine ID; two devices may share one address"


class OtherEngine(SnmpError):
    """Who answers is not the engine that the inventory names for this device."""

    reason = "other_engine"
    advice = (
        "another device answers at this address, or this one was exchanged or set up anew; look which, "
        "and correct engine_id in the inventory"
    )


class WrongAuthPassword(UsmReport):
    """usmStatsWrongDigests: the authentication password or protocol differs."""

    reason = "wrong_password"
    advice = "the authentication password or protocol differs from the device's"


class WrongPrivacyPassword(UsmReport):
    """usmStatsDecryptionErrors: the privacy password, protocol or key extension differs."""

    reason = "wrong_privacy_password"
    advice = "the privacy password, protocol or key extension differs from the device's"
