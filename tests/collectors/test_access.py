"""From what the inventory says of a credential to an agent that answers: every version and every level of SNMPv3."""

from typing import Any

import pytest
from snmp_asking import AUTH_PRIV, HASTY, RealAgent, run
from test_poller import at

from collectors.access import open_session, plain
from collectors.poll import Target, poll
from collectors.snmp.pdu import Version
from collectors.snmp.transport import Exchange
from parvis.inventory import CommunityCredential, UserCredential
from parvis.values import Secret

SECRETS = {"community": "cachan", "auth": "auth-sha1aes128", "privacy": "priv-sha1aes128", "signed": "auth-signed"}
V1 = CommunityCredential(name="v1", version="v1", community_secret="community")
V2C = CommunityCredential(name="v2c", version="v2c", community_secret="community")
BARE = UserCredential(name="bare", version="v3", user="bare", auth="none", privacy="none")
SIGNED = UserCredential(name="signed", version="v3", user="signed", auth="SHA-1", privacy="none", auth_secret="signed")


@pytest.mark.parametrize(
    ("credential", "version"),
    [(V1, Version.V1), (V2C, Version.V2C), (BARE, Version.V3), (SIGNED, Version.V3), (AUTH_PRIV, Version.V3)],
    ids=lambda value: getattr(value, "name", None),
)
@pytest.mark.parametrize("is_plain", [False, True])
def test_s07_every_kind_of_credential_of_the_inventory_polls_a_real_agent_twice(
    snmpd: RealAgent, credential: Any, version: Version, is_plain: bool
) -> None:
    """The second time by plan; and by what is left of the credential in the running service (``plain``)."""
    chosen = plain(credential) if is_plain else credential

    async def work(exchange: Exchange) -> list[Any]:
        session = open_session(exchange, snmpd.address, chosen, lambda name: Secret(SECRETS[name]), HASTY)
        assert session.version is version
        target = Target(at(snmpd.address), session)
        return [await poll(target, at=1000.0, clock=60.0 * turn) for turn in (0, 1)]

    for found in run(work):
        assert {"port_up", "device_uptime_seconds"} <= {sample.metric for sample in found.samples}
