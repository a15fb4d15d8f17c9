"""Which validation metrics there are by a head, and whether more of one is better; Keras is asked where it must be."""

from trainer.errors import Refusal, nearest
from trainer.heads.head import Head

_WAYS = {"max": True, "min": False}
_DIRECTIONS = {"up": True, "down": False}


def known(head: Head) -> dict[str, bool | None]:
    """Returns the validation metrics by their names, and whether more is better; None where nothing tells.

    Args:
        head: Its declared `goals` are taken, if they are of the class that has its `metrics`, else what these say.

    Example:
        >>> from trainer.heads import BinaryHead
        >>> known(BinaryHead())
        {'loss': False, 'auc': True, 'accuracy': True}
    """
    declared = _declared(head)
    if declared is not None:
        return {"loss": False, **declared}
    asked = {metric.name: _DIRECTIONS.get(getattr(metric, "_direction", None) or "") for metric in head.metrics()}
    return {"loss": False, **asked}


def _declared(head: Head) -> dict[str, bool] | None:
    for kind in type(head).__mro__:
        # A head that has other metrics than the one that it is made from has other goals too.
        if "goals" in vars(kind) or "metrics" in vars(kind):
            goals = head.goals if "goals" in vars(kind) else None
            return None if goals is None else {name: _WAYS[way] for name, way in goals.items()}
    return None


def goal(flag: str, text: str | None, head: Head) -> tuple[str, bool]:
    """Returns the metric that a person means, and whether more of it is better.

    Args:
        flag: That asks, for the refusal.
        text: `METRIC`, or `METRIC:max` or `METRIC:min` where the metric itself does not tell; None is the first of the
            head's metrics, or the loss where it has none.
        head: Of the problem.

    Raises:
        Refusal: There is none of this name, or which way is better is not known.

    Example:
        >>> from trainer.heads import BinaryHead
        >>> goal("--metric", None, BinaryHead()), goal("--metric", "loss", BinaryHead())
        (('auc', True), ('loss', False))
    """
    metrics = known(head)
    name, _, way = ([*metrics][:2][-1] if text is None else text).partition(":")
    if name not in metrics:
        ending = nearest(name, metrics) or f"; there are {', '.join(metrics)}."
        raise Refusal(f"{flag}: there is no validation metric '{name}'{ending}")
    if way and way not in _WAYS:
        raise Refusal(f"{flag}: {name}:max or {name}:min is wanted, not '{text}'.")
    is_up = _WAYS[way] if way else metrics[name]
    if is_up is None:
        raise Refusal(
            f"{flag}: metric '{name}' does not say whether more of it is better; give {name}:max or {name}:min."
        )
    return name, is_up
