"""What comes in by the modem: whole, once, and never half of it."""

import os
from pathlib import Path
from typing import Any

from monitor.channels import gsm


def test_an_answer_that_the_modem_is_writing_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "inbox" / "IN20260603_230100_00_+33639980002_00.txt"
    file.parent.mkdir()
    task: dict[str, Any] = {"channel": {"spool": str(tmp_path)}}
    file.touch()

    assert gsm.replies(task) == []
    file.write_text("1", "utf-8")
    assert [one["text"] for one in gsm.replies(task)] == ["1"]
    file.touch()
    os.utime(file, (0, 0))
    assert [one["text"] for one in gsm.replies(task)] == [""]
    assert not file.exists()
