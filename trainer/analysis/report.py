"""An analysis as lines on a terminal."""

from trainer.analysis.analysis import Found
from trainer.analysis.column import NUMBER, WHOLE, Column
from trainer.terminal import fitted, shortened, shown

_HEADINGS = ("column", "kind", "missing", "different", "most frequent, or from, middle and to")
_FEW, _LETTERS = 3, 24


def lines(found: Found, places: int | None = None) -> list[str]:
    """Returns a table with a line a column, below it what is odd, and last how many rows there were.

    Args:
        found: What was found in files.
        places: How many letters fit a line; None is no limit.
    """
    table = [_HEADINGS, *(_cells(column) for column in found.columns)]
    odd = [f"{shown(column.name)} {shown(note)}" for column in found.columns for note in found.odd[column.name].notes]
    return [*fitted(table, right=(2, 3), places=places), "", *odd, *([""] if odd else []), str(found)]


def _cells(column: Column) -> tuple[str, str, str, str, str]:
    about = "" if column.is_exact else "about "
    kind = f"bag of {column.kind}" if column.is_bag else column.kind
    share = column.missing_share
    missing = "-" if not column.missing else f"{100 * share:.1f} %" if share >= 0.001 else "under 0.1 %"
    return shown(column.name), kind, missing, f"{about}{column.different:,}", _values(column)


def _values(column: Column) -> str:
    if column.kind == NUMBER or (column.kind == WHOLE and column.different > 2 * _FEW):
        edges = column.facts.numbers.quantiles(2)
        return " … ".join(
            f"{edge:,.0f}" if edge == round(edge) and abs(edge) < 1e15 else f"{edge:,g}" for edge in edges
        )
    texts = [shortened(shown(text), _LETTERS) for text in column.texts(_FEW)]
    counted = [f"{text} ({count:,})" for text, count in zip(texts, column.counts.tolist(), strict=False)]
    return ", ".join(counted) + (" …" if column.different > len(counted) else "")
