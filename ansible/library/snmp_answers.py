#!/usr/bin/python
"""Asks a device once, from the machine that runs the play, whether it answers with a credential of the town.

By the collectors' own SNMP: what is told here is what the monitor will see. Nothing is written on the device.
"""

import asyncio

from ansible.module_utils.basic import AnsibleModule

from collectors.access import Login, open_session
from collectors.device import Device
from collectors.snmp import ber, walk
from collectors.snmp.errors import Refused, SnmpError
from collectors.snmp.sockets import resolve
from collectors.snmp.transport import Exchange, Patience
from parvis.values import Secret

DOCUMENTATION = r"""
module: snmp_answers
short_description: Whether a device answers with an SNMPv3 credential of the town
description: One SNMP request for sysObjectID, once or until it is answered. Changes nothing, in check mode too.
options:
  snmp: {description: "Where and how, as the inventory has it; secrets by name.", type: dict, required: true}
  secrets: {description: The secrets by name., type: dict, required: true}
  tries: {description: How often it is asked before it is taken for silent., type: int, default: 3}
"""

PAUSE_SECONDS = 1.5
_SYS_OBJECT_ID = ber.oid("1.3.6.1.2.1.1.2.0")
ARGUMENTS = {
    "snmp": {"type": "dict", "required": True},
    "secrets": {"type": "dict", "required": True, "no_log": True},
    "tries": {"type": "int", "default": 3},
}


async def ask(snmp: dict[str, object], secrets: dict[str, str], tries: int) -> None:
    """SnmpError when the device that *snmp* describes does not answer with a value."""
    host = str(snmp["host"])
    device = Device(name=host, host=host, port=int(str(snmp["port"])), context=str(snmp["context"]))
    exchange = Exchange()
    try:
        address = await resolve(device.host, device.port)
        patience = Patience(tries=tries, growth=1.0)
        session = open_session(exchange, address, _login(snmp), lambda name: Secret(secrets[name]), patience, device)
        if not await walk.get(session, [_SYS_OBJECT_ID], walk.Pace()):
            raise SnmpError("the agent answers, but shows this user nothing")
    finally:
        exchange.close()


async def ask_until(snmp: dict[str, object], secrets: dict[str, str], tries: int) -> None:
    """As ask, but an agent that is only just starting is waited for."""
    for left in reversed(range(tries)):
        try:
            await ask(snmp, secrets, tries)
        except Refused:
            if not left:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


def _login(snmp: dict[str, object]) -> Login:
    """Without a secret that service is not used, and the inventory does not name one."""
    auth, privacy = (str(snmp[key]) if key in snmp else None for key in ("auth_secret", "privacy_secret"))
    return Login(str(snmp["user"]), str(snmp["auth"]), str(snmp["privacy"]), auth, privacy)


def main() -> None:
    """Ask, and tell."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    told = module.params
    lacking = sorted(
        name for key, name in told["snmp"].items() if key.endswith("_secret") and name not in told["secrets"]
    )
    if lacking:
        module.fail_json(msg=f"parvis_secrets lacks {', '.join(lacking)}")
    try:
        asyncio.run(ask_until(told["snmp"], told["secrets"], told["tries"]))
    except SnmpError as error:
        module.exit_json(changed=False, answers=False, reason=error.reason, why=f"{error}; {error.advice}")
    module.exit_json(changed=False, answers=True, reason="", why="")


if __name__ == "__main__":
    main()
