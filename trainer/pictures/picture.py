"""A picture that was drawn, and what it shows."""

from dataclasses import dataclass

HEAT_MAP, PLANE, LINE, CURVES, CONFUSION = "heat map", "plane", "line", "curves", "confusion"
"""The kinds of pictures."""


@dataclass(frozen=True)
class Picture:
    """A picture that lies in a file, and is a path for what takes paths.

    Args:
        path: The PNG file.
        kind: What kind of picture it is.
        table: The name of the table that it shows; None where it shows none.

    Example:
        >>> import os
        >>> os.path.basename(Picture("runs/flights/pictures/day.plane.png", PLANE, "day"))
        'day.plane.png'
    """

    path: str
    kind: str
    table: str | None = None

    def __fspath__(self) -> str:
        return self.path
