"""access-points.yml as staff run it, with nothing of this machine's own; and what it said."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machines import BIN, run

ROOT = Path(__file__).parents[2]
SECRETS = {
    "snmp-bornes-auth": 'mot de "passe" \\ 1',
    "snmp-bornes-privacy": "un-autre-mot-de-passe",
    "snmp-reseau-auth": "encore-un-mot-de-passe",
    "snmp-reseau-privacy": "le-dernier-mot-de-passe",
    "snmp-anciennes-community": "anciennes-5ea1",
}


@dataclass(frozen=True)
class Played:
    """Exit code, all that was printed in one line, and per host what the recap counts."""

    code: int
    said: str

    def count(self, host: str, what: str) -> int:
        """How many tasks of *host* were ``ok``, ``changed``, ``failed``, ``unreachable`` …"""
        found = re.search(rf"{host} : .*?{what}=(\d+)", self.said.partition("PLAY RECAP")[2])
        assert found, f"{host} is not in the recap: {self.said[-600:]}"
        return int(found[1])

    def changed(self) -> list[str]:
        """The names of the tasks that changed something, or would."""
        tasks = self.said.split("TASK [")[1:]
        return [task.partition("]")[0].removeprefix("access_points : ") for task in tasks if " changed: [" in task]


def play(folder: Path, town: Path, *words: str, within: Sequence[str] = (), **variables: object) -> Played:
    """Its answer; *within* is how to go where it is to run, *variables* stand above the inventory's."""
    told = {"ansible_python_interpreter": sys.executable, "parvis_secrets": SECRETS, **variables}
    environment = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible/ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "PATH": f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PARVIS_TOWN": str(town),
    }
    argv = [*within, BIN / "ansible-playbook", ROOT / "ansible/access-points.yml", *words, "-e", json.dumps(told)]
    done = run(*argv, check=False, seconds=300, **environment)
    return Played(done.returncode, " ".join((done.stdout + done.stderr).split()))
