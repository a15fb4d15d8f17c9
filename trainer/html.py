"""Tables as a notebook draws them."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], of: int | None = None) -> str:
    """Returns a table as HTML; all text is escaped.

    Args:
        caption: What stands above it.
        header: The names of the columns.
        rows: The cells.
        of: The number of rows that there are; the last line tells of those that are not shown.

    Example:
        >>> html_table("1 row", ["key"], [["<b>"]])
        '<table><caption>1 row</caption><tr><th>key</th></tr><tr><td>&lt;b&gt;</td></tr></table>'
    """
    lines = [list(row) for row in rows]
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in lines)
    left = (of or 0) - len(lines)
    more = f'<tr><td colspan="{len(header)}">… {left:,} more</td></tr>' if left > 0 else ""
    return f"<table><caption>{escape(caption)}</caption><tr>{_cells('th', header)}</tr>{body}{more}</table>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
