#!/usr/bin/python3
"""Put an installed machine back as ``parvis keep`` found it. Runs with Debian's own Python, whatever became of ours."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(*argv: str, check: bool = True) -> int:
    """Run a program; its words go where ours go."""
    return subprocess.run(argv, check=check).returncode  # noqa: S603 fixed words


def main() -> int:
    """Stop, install the old package, put configuration and state back, start."""
    about = json.loads((HERE / "about.json").read_text())
    run("systemctl", "stop", *about["ours"], check=False)
    package = HERE / "package.deb"
    if package.exists():
        run("dpkg", "--force-confold", "--install", str(package))
    for pattern in about["configuration"]:
        for path in Path("/").glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    for part in ("configuration.tar", "state.tar"):
        with tarfile.open(HERE / part) as archive:
            archive.extraction_filter = lambda member, _: member  # our own, root's alone
            archive.extractall("/")  # noqa: S202
    for name in about["databases"]:
        for shadow in ("-wal", "-shm"):
            Path(f"/{name}{shadow}").unlink(missing_ok=True)
    run("systemctl", "daemon-reload")
    run("parvis", "settle", check=False)  # what it could not do, the doctor says
    well = run("parvis", "doctor", "--wait", "90", "--brief", check=False)
    shutil.rmtree(HERE)
    return well


if __name__ == "__main__":
    sys.exit(main())
