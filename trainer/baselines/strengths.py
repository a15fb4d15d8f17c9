"""The one number of a linear model, how much its weights cost, as held-out examples choose it."""

from collections.abc import Callable

STRENGTHS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
"""The first λ that are tried."""
FINER = (0.5, 0.25)
"""How far to both sides of the best, in powers of ten, is then looked for a better one."""


def strongest(worth: Callable[[float], float]) -> tuple[float, dict[float, float]]:
    """Returns the λ that is worth most, of powers of ten and then in finer steps around the best, and all tried.

    Args:
        worth: Returns what a λ is worth.

    Example:
        >>> round(strongest(lambda strength: -abs(strength / 500 - 1))[0])
        562
    """
    tried = {strength: worth(strength) for strength in STRENGTHS}
    for step in FINER:
        best = max(tried, key=tried.__getitem__)
        tried |= {strength: worth(strength) for strength in (best / 10**step, best * 10**step)}
    return max(tried, key=tried.__getitem__), tried
