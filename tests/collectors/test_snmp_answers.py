"""The module by which the play of access points asks: every SNMPv3 credential of the inventory, at a real agent."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from snmp_asking import AUTH_PRIV, RealAgent
from test_access import BARE, SECRETS, SIGNED
from test_placed_files import STARTING

from parvis.inventory import UserCredential

MODULE = Path(__file__).parents[2] / "ansible" / "library" / "snmp_answers.py"


def asked(agent: RealAgent, credential: UserCredential, **differs: str) -> dict[str, Any]:
    """Its answer; what *differs* are secrets."""
    host, port = agent.address
    told = credential.model_dump(mode="json", exclude_none=True) | {"host": host, "port": port, "context": ""}
    words = {"snmp": told, "secrets": SECRETS | differs, "tries": 1}
    done = subprocess.run(
        [sys.executable, "-c", STARTING, MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": words}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("credential", [BARE, SIGNED, AUTH_PRIV], ids=lambda one: one.user)
def test_s07_an_agent_answers_whatever_its_credential_does_without(
    snmpd: RealAgent, credential: UserCredential
) -> None:
    assert asked(snmpd, credential).get("answers") is True


def test_a_wrong_secret_is_no_answer_and_says_why(snmpd: RealAgent) -> None:
    answer = asked(snmpd, SIGNED, signed="another-password")

    assert (answer["answers"], answer["reason"]) == (False, "wrong_password")
