"""The corpus: inputs that once broke something, here or elsewhere, and are tried again with every change."""

from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def found(name: str) -> list[bytes]:
    """The inputs of corpus/*name*.txt; each line is an expression of bytes."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return [eval(line, {"__builtins__": {}}) for line in lines if line and not line.startswith("#")]
