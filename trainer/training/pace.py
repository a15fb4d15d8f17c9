"""How many steps one Python call takes."""

from dataclasses import dataclass

CALL_SECONDS = 0.2
"""How long one Python call should last: signals wait for it, and progress shows after it."""


@dataclass
class Pace:
    """How many steps one Python call takes: more until it lasts as long as it should, which changes no result.

    Args:
        steps: Of the next call.

    Example:
        >>> pace = Pace(100)
        >>> pace.follow(100, seconds=0.4)
        >>> pace.steps
        50
    """

    steps: int = 1

    def follow(self, steps: int, seconds: float) -> None:
        """Takes the time of a call into account, unless something cut it short."""
        if steps == self.steps:
            self.steps = max(1, min(2 * steps, int(steps * CALL_SECONDS / max(seconds, 1e-6))))
