"""What Grafana is provisioned with is replaced whole, or stays."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "ansible/roles/grafana/files/dashboards.sh"
DRAWS = """#!/bin/bash
mkdir -p "$3"; echo "$DRAWN" > "$3/board.json"
"""


def drawn(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the role does; ``parvis`` draws one board that says *text*."""
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "DRAWN": text}
    words = ["bash", str(SCRIPT), str(folder / "grafana/parvis"), "fr", "prometheus", "town"]
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=30, check=False)


def stands(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_dashboards_are_replaced_whole_and_a_full_disk_takes_none(tmp_path: Path) -> None:
    stands(tmp_path, "parvis", DRAWS)
    board = tmp_path / "grafana/parvis/board.json"
    first = drawn(tmp_path, "one")
    again = drawn(tmp_path, "one")
    stands(tmp_path, "cp", "#!/bin/bash\n/bin/cp \"$@\"; echo 'cp: No space left on device' >&2; exit 1\n")
    full = drawn(tmp_path, "two")

    assert (first.stdout.endswith("drawn anew\n"), again.stdout) == (True, "")
    assert full.returncode == 1
    assert board.read_text() == "one\n"
    assert [path.name for path in board.parents[1].iterdir()] == ["parvis"]
