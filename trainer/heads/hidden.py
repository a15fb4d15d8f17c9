"""What a head hides of a bag, so that a model learns to find it from the rest."""

from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal


@dataclass(frozen=True)
class Hidden:
    """Part of the ids of a bag goes in, and the rest is the label.

    Of `n` ids, `share * n` go in, rounded, but at least one, and at least one is hidden.

    Args:
        table: The embedding table whose categorical column's ids are hidden.
        input_share: In training, the share of a bag that goes in; of a pair, drawn anew for each example of each epoch
            between the two.
        held_out_input_share: The share that goes in of a bag of the validation and test examples.

    Raises:
        Refusal: A share is not above 0 and below 1, or a pair is no pair in order.

    Example:
        >>> Hidden("movie", input_share=(0.1, 0.9)).shares
        (0.1, 0.9)
    """

    table: str
    input_share: float | tuple[float, float]
    held_out_input_share: float = 0.8

    def __post_init__(self) -> None:
        shares: Any = self.input_share
        if isinstance(shares, (tuple, list)):
            object.__setattr__(self, "input_share", tuple(shares))  # JSON has lists alone
            if len(shares) != 2 or not shares[0] <= shares[1]:
                raise Refusal(
                    "Hidden: input_share is a share, or a pair of the least and the greatest of them, not "
                    f"{tuple(shares)!r}."
                )
        for name, shares in {"input_share": self.shares, "held_out_input_share": (self.held_out_input_share,)}.items():
            for share in shares:
                if not 0 < share < 1:
                    raise Refusal(f"Hidden: {name} is above 0 and below 1, not {share!r}.")

    @property
    def shares(self) -> tuple[float, float]:
        """The least and the greatest share of a bag that goes in while a model learns."""
        return self.input_share if isinstance(self.input_share, tuple) else (self.input_share, self.input_share)
