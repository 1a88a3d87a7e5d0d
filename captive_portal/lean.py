"""Import this first in a small process: it keeps rich out, 5 MB that structlog loads for colours nobody sees."""

import sys

sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # the documented way to say "not here" (importlib)
