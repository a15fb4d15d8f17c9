"""What a person is told when something they gave cannot be used."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Refusal(ValueError):
    """A person's mistake, told in one sentence, before training starts.

    The sentence says who refuses, what was wanted, what came and what to do. The commands print it alone on
    stderr and exit with 2.

    Example:
        >>> raise Refusal("--num-epochs: a whole number above 0 is wanted, not 0.")
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: --num-epochs: a whole number above 0 is wanted, not 0.
    """


class TrainingFailure(RuntimeError):
    """A run that started and cannot go on, told in one sentence; the commands exit with 1."""


@contextmanager
def refusing(who: str) -> Iterator[None]:
    """Makes one sentence of what is refused inside, that begins with who refuses.

    Example:
        >>> with refusing("warm start of 'day'"):
        ...     raise Refusal("there is no london")
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: warm start of 'day': there is no london.
    """
    try:
        yield
    except Refusal as refusal:
        text = str(refusal)
        sentence = text if text.startswith(who) else f"{who}: {text}"
        raise Refusal(sentence if sentence.endswith((".", "?")) else f"{sentence}.") from None


def nearest(name: str, names: Iterable[str]) -> str:
    """Returns the end of a sentence that suggests the nearest of `names`, or the empty string.

    Args:
        name: What a person wrote.
        names: What they could have meant.

    Example:
        >>> nearest("flihgts", ["flights", "movies"])
        "; did you mean 'flights'?"
        >>> nearest("zebra", ["flights", "movies"])
        ''
    """
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
