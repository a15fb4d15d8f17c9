"""What README.md shows of what commands print."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def after(command: str) -> list[str]:
    """The lines that the README shows below a command, up to the next command or the end of the block, as `shape`."""
    _, found, rest = README.partition(f"\n{command}")
    assert found, f"README.md has no line that begins with: {command}"
    _, _, rest = rest.partition("\n")
    return shape(re.split(r"^(?:```|python )", rest, maxsplit=1, flags=re.MULTILINE)[0])


def shape(printed: str) -> list[str]:
    """The lines without their numbers, units and folders, and lines that are then alike once."""
    found: list[str] = []
    for line in printed.splitlines():
        plain = re.sub(r"-?\d[\d.,]*( [kMG]?B)?", "N", re.sub(r"^/.*/(?=runs/)", "/", line))
        plain = " ".join(plain.replace("nyc_flights/JFK", "nyc_flights").split())
        found += [plain] if plain not in found[-1:] else []
    return found
