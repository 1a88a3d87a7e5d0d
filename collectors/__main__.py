"""``python -m collectors``: the same as ``parvis collectors``."""

from collectors.commands import collectors

if __name__ == "__main__":
    collectors()
