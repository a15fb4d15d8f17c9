"""What is told of questions of which a share could be asked."""


def line(value: float | None, of: str, total: int, unit: str, outside: int, coverage: float) -> str:
    """Returns what was measured, of how many questions, and how many could not be asked.

    Args:
        value: What was measured; None where nothing was.
        of: What it is called, after a blank.
        total: How many questions it is of.
        unit: What one of them is called.
        outside: How many more have a word that is not in the table.
        coverage: The share of all questions that were asked.

    Example:
        >>> line(None, "", 0, "question", 9, 0.0)
        'none of 0 questions, 9 more out of vocabulary (coverage 0.00)'
    """
    shown = "none" if value is None else f"{value:.3f}"
    units = f"{total:,} {unit}{'s' * (total != 1)}"
    return f"{shown}{of} of {units}, {outside:,} more out of vocabulary (coverage {coverage:.2f})"
