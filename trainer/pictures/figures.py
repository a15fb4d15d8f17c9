"""What all pictures share: sizes, inks, titles, and a PNG file written whole."""

import io
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from trainer import paths

INCHES_WIDE = 8.0
DOTS_PER_INCH = 200

INK, QUIET_INK, FAINT_INK = "#222222", "#6b6b6b", "#e4e4e4"
TITLE_SIZE, TEXT_SIZE, NAME_SIZE, SMALL_SIZE, LABEL_SIZE = 12.5, 9.5, 9, 8.5, 8
"""In points: of a picture's name, of sentences, of axes, of what stands beside, of labels and numbers."""

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Colours that people who are blind to some of them tell apart.

Source: Masataka Okabe and Kei Ito, "Color Universal Design", 2008.
"""

_LONGEST_LABEL, _LONGEST_NAME = 20, 40
_FEW = 256


def blank(inches_high: float, dots_per_inch: int = DOTS_PER_INCH) -> Figure:
    """Returns an empty figure that makes room for whatever is put into it; 1,600 pixels wide."""
    figure = Figure(
        figsize=(INCHES_WIDE, inches_high),
        dpi=dots_per_inch,
        layout=ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.1, hspace=0.02),
    )
    FigureCanvasAgg(figure)
    return figure


def write_title(figure: Figure, name: str, sentence: str) -> None:
    """Writes a picture's name, and below it what the picture shows."""
    left, second_line = 0.1 / INCHES_WIDE, 1 - 0.32 / figure.get_figheight()
    # The layout makes room for the first of these alone, so that has an empty line for the second.
    figure.suptitle(
        f"{short(name, _LONGEST_NAME)}\n",
        x=left,
        ha="left",
        fontsize=TITLE_SIZE,
        weight="bold",
        color=INK,
        parse_math=False,
    )
    figure.text(left, second_line, sentence, va="top", fontsize=TEXT_SIZE, color=INK, parse_math=False)


def save(figure: Figure, path: str, few_colours: bool = False) -> None:
    """Writes a figure as a PNG file, whole or not at all; the same figure gives the same bytes.

    Args:
        figure: The figure.
        path: The file.
        few_colours: 256 of them stand for all others, in a file of about a third of the size.
    """
    with paths.written_whole(path) as whole, boxes_for_strange_letters():
        if not few_colours:
            figure.savefig(whole, format="png", metadata={"Software": None})
            return
        pixels = io.BytesIO()
        figure.savefig(pixels, format="rgba")
        width, height = figure.canvas.get_width_height()
        image = Image.frombuffer("RGBA", (width, height), pixels.getvalue()).convert("RGB")
        image.quantize(_FEW, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            whole, format="png", optimize=True
        )


@contextmanager
def boxes_for_strange_letters() -> Iterator[None]:
    """Lets letters that the font lacks be drawn, and measured, as boxes without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")  # scripts such as Bengali
        yield


def short(label: str, longest: int = _LONGEST_LABEL) -> str:
    """Returns a label on one line, cut where it is too long.

    Example:
        >>> short("an airport with a long name"), short("two" + chr(10) + "lines")
        ('an airport with a l…', 'two lines')
    """
    label = plain(label)
    return label if len(label) <= longest else f"{label[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def shortened(labels: Sequence[str], longest: int = _LONGEST_LABEL) -> list[str]:
    """Returns labels cut where they are too long: at the end, or in the middle where the starts are alike.

    Example:
        >>> shortened(["kind one", "kind two", "another"], 6)
        ['ki…one', 'ki…two', 'anoth…']
    """
    starts = Counter(short(label, longest) for label in labels)
    end = longest // 2
    return [
        cut
        if starts[cut := short(label, longest)] == 1 or len(plain(label)) <= longest
        else f"{plain(label)[: longest - end - 1]}\N{HORIZONTAL ELLIPSIS}{plain(label)[-end:]}"
        for label in labels
    ]


def plain(text: str) -> str:
    """Returns a text as one line of letters that can be drawn."""
    # Half of a surrogate pair is no letter, and the renderer fails on it.
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text.encode("utf-8", "replace").decode("utf-8")).strip()


def number(value: float) -> str:
    """Returns a number as axes and legends show it.

    Example:
        >>> number(0.25), number(2013.0), number(-0.0)
        ('0.25', '2013', '0')
    """
    return f"{value + 0:.6g}".replace("-", "\N{MINUS SIGN}")  # adding zero makes 0 of -0


def grid(panels: int, most_across: int) -> tuple[int, int]:
    """Returns rows and columns of a grid for some panels, as even as it can be.

    Example:
        >>> grid(1, 3), grid(4, 3), grid(5, 3)
        ((1, 1), (2, 2), (2, 3))
    """
    down = math.ceil(panels / most_across)
    return down, math.ceil(panels / down)
