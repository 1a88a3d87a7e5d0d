"""What collecting.py becomes: the service as it is, with a board that counts."""

import mmap
import os
import pickle
import struct
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import parvis.without_tls  # noqa: F401 as collectors/process.py does

# isort: split
from parvis.launch import handed_bytes

SETTLED = 3
"""After so many polls a device's plan is learned and its reply size has settled."""


def main() -> None:
    if os.environ["BENCH_CORE"] == "python":
        sys.modules["collectors._core"] = None  # type: ignore[assignment] # importing it fails
    from collectors import service  # noqa: PLC0415 see above
    from collectors.board import Board  # noqa: PLC0415
    from collectors.device import Device, Failed, Outcome  # noqa: PLC0415

    start, counts = pickle.loads(handed_bytes("collectors"))

    class Counted(Board):
        """A board that says how often it was written to."""

        def put(self, device: Device, outcome: Outcome, *how: Any) -> Any:
            failed = isinstance(outcome, Failed)
            told[0] += 1
            told[1] += failed
            if not failed and well[device.name] < SETTLED:
                well[device.name] += 1
                told[2] += well[device.name] == SETTLED
            struct.pack_into("QQQ", shared, 0, *told)
            return super().put(device, outcome, *how)

    told, well = [0, 0, 0], Counter[str]()
    service.Board = Counted  # type: ignore[attr-defined] # see above
    with Path(counts).open("r+b") as file, mmap.mmap(file.fileno(), 24) as shared:
        service.serve(start)


if __name__ == "__main__":
    main()
