"""The names that a title goes by, written so that those which a person takes for one are equal."""

import re
import unicodedata
from collections.abc import Iterator

_APOSTROPHE = "'"
_YEAR = re.compile(r"[\s(]\(?((?:1[89]|20)\d\d)(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ALSO = re.compile(r"^\s*(?:a\.?\s?k\.?\s?a\.?|also known as)\s+", re.IGNORECASE)
_ARTICLES = (
    *("the", "a", "an", "le", "la", "les", "l'", "un", "une", "der", "die", "das", "ein", "eine", "el", "los", "las"),
    *("il", "lo", "gli", "i", "una", "uno", "o", "os", "as", "um", "uma", "de", "het", "een", "den", "det", "en", "et"),
)
_LAST = re.compile(rf"^(.*\S),\s*({'|'.join(_ARTICLES)})$", re.IGNORECASE)
"""A title that ends in its article, as catalogues write it."""
_FIRST = re.compile(r"^(?:the|an?)\s+(.*\S)$", re.IGNORECASE)


def year_of(title: str) -> str | None:
    """Returns the year that a title ends in, in brackets; of several, the first.

    Example:
        >>> year_of("Shrek (2001)"), year_of("Fawlty Towers (1975-1979)"), year_of("1984")
        ('2001', '1975', None)
    """
    found = _YEAR.search(title)
    return None if found is None else found[1]


def names_of(title: str) -> Iterator[str]:
    """Yields what a title may be called, without its year: itself, it without what is in brackets, and what is in them.

    Example:
        >>> list(names_of("City of Lost Children, The (Cité des enfants perdus, La) (1995)"))[1:]
        ['City of Lost Children, The', 'Cité des enfants perdus, La']
        >>> list(names_of("Seven (a.k.a. Se7en) (1995)"))[1:]
        ['Seven', 'Se7en']
    """
    plain = title if year_of(title) is None else title[: _YEAR.search(title).start()]  # type: ignore[union-attr]
    inside = _BRACKETS.findall(plain)
    names = [plain, *([_BRACKETS.sub(" ", plain)] if inside else []), *(_ALSO.sub("", text) for text in inside)]
    yield from (" ".join(name.split()) for name in names)


def ordered(name: str) -> str:
    """Returns a name with its article in front.

    Example:
        >>> ordered("Incredibles, The"), ordered("Avventura, L'"), ordered("Me, Myself")
        ('The Incredibles', "L'Avventura", 'Me, Myself')
    """
    found = _LAST.match(name)
    if found is None:
        return name
    return f"{found[2]}{'' if found[2].endswith(_APOSTROPHE) else ' '}{found[1]}"


def without_article(name: str) -> str:
    """Returns a name without the article that it begins or, after a comma, ends with.

    Of those that begin one the English are known alone: "Die Hard" is none.

    Example:
        >>> without_article("The Incredibles"), without_article("Misérables, Les"), without_article("A")
        ('Incredibles', 'Misérables', 'A')
    """
    found = _LAST.match(name) or _FIRST.match(name)
    return name if found is None else found[1]


def spelled(name: str) -> str:
    """Returns the letters and digits of a name, small and without accents; "and" stands for "&".

    Example:
        >>> spelled("WALL·E"), spelled("Amélie"), spelled("Fast & Furious") == spelled("fast and furious")
        ('walle', 'amelie', True)
    """
    name = name.replace("&", " and ")
    if not name.isascii():
        name = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return "".join(filter(str.isalnum, name.casefold()))
