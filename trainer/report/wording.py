"""Numbers, shares, times and texts as a person reads them."""

import re
import sys
from typing import Any, TypeGuard

NONE = "\N{EM DASH}"
"""What stands where there is nothing."""

_LONGEST = 120
_LARGEST = sys.float_info.max
_MINUS = "\N{MINUS SIGN}"

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What HTML may not hold or nobody would see: control characters, and halves of surrogate pairs, which UTF-8 lacks."""

_ABBREVIATIONS = {"auc": "AUC", "rmse": "RMSE", "rmsle": "RMSLE", "r2": "R²", "mae": "MAE", "mse": "MSE"}


def writable(text: str) -> str:
    r"""Returns a text with a backslash and a number in place of each letter that a page cannot hold.

    Example:
        >>> writable("half \ud83d, bell \a")
        'half \\ud83d, bell \\x07'
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def shortened(text: str, most: int = _LONGEST) -> str:
    """Returns a text of so many letters at most.

    Example:
        >>> shortened("Tuesday", 4), shortened("Tue", 4)
        ('Tue…', 'Tue')
    """
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def words(name: str) -> str:
    """Returns the name of a number as words.

    Example:
        >>> words("rmse_over_mean"), words("loss")
        ('RMSE over mean', 'loss')
    """
    return " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))


def number(value: Any) -> str:
    """Returns a number with so many digits as tell something; what is none as it is.

    Example:
        >>> number(54145), number(0.6698251), number(26877.0), number(0.0000123), number(1234.56)
        ('54,145', '0.6698', '26,877', '1.23e-05', '1,234.6')
        >>> number(float("nan")), number(None), number("planted"), number(True)
        ('not a number', '—', 'planted', 'yes')
    """
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if value != value:  # as NaN alone; math.isnan takes no whole number that no float can be
        return "not a number"
    return f"{_MINUS if value < 0 else ''}{_digits(abs(value))}"


def _digits(size: float) -> str:
    if size > _LARGEST:
        return "infinite"
    if size < 1e15 and size == int(size):
        return f"{int(size):,}"
    if 0.001 <= size < 1000:
        return f"{size:.4f}"
    return f"{size:,.1f}" if 1000 <= size < 1e15 else f"{size:.3g}"


def is_finite(value: Any) -> TypeGuard[float]:
    """Tells whether a value is a number, neither infinite nor none at all, and no whole one that no float can be.

    Example:
        >>> is_finite(3), is_finite(float("nan")), is_finite(10**400), is_finite(True), is_finite("3")
        (True, False, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def share(value: float) -> str:
    """Returns a share in percent, and neither none nor all where it is not quite that.

    Example:
        >>> share(0.2222), share(0.00001), share(0.99999), share(1.0), share(0.021), share(float("nan"))
        ('22 %', 'under 0.1 %', 'over 99.9 %', '100 %', '2.1 %', 'not a number')
    """
    if not is_finite(value):
        return number(value)
    if 0 < value < 0.001:
        return "under 0.1 %"
    if 0.999 < value < 1:
        return "over 99.9 %"
    percent = 100 * value
    return f"{percent:.1f} %" if 0 < percent < 10 or 90 < percent < 100 else f"{percent:.0f} %"


def duration(seconds: float) -> str:
    """Returns a time.

    Example:
        >>> duration(6.884), duration(725), duration(9000), duration(float("inf"))
        ('6.9 s', '12 min 5 s', '2 h 30 min', 'infinite')
    """
    if not is_finite(seconds):
        return number(seconds)
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"
