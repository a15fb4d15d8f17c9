"""A row of a benchmark whose sides take turns: the ratios of the turns, their median, and the bar."""

from typing import Any

import numpy as np


def report(name: str, found: dict[str, Any], bar: float, is_most: bool, others_hold: bool = True) -> dict[str, Any]:
    """Prints a row, and returns it with its median, its worst and what is wanted.

    Args:
        name: Of the row.
        found: What was measured, the `ratios` of the turns among it.
        bar: Of the median.
        is_most: Whether the bar is the most, not the least.
        others_hold: Whether what else is wanted holds.
    """
    ratios = found.pop("ratios")
    found |= {"ratio": float(np.median(ratios)), "worst": float((max if is_most else min)(ratios)), "bar": bar}
    met = others_hold and (found["ratio"] <= bar if is_most else found["ratio"] >= bar)
    shown = "  ".join(
        f"{key} {value:,.3g}" if isinstance(value, float) else f"{key} {value:,}" for key, value in found.items()
    )
    print(
        f"{name:<14}{'met' if met else 'missed'}: {'at most' if is_most else 'at least'} the bar; {shown}", flush=True
    )
    return {"row": name, **found}
