"""Lists what a run, a checkpoint or a file of weights holds: names, shapes, dtypes, and what looks like a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer import commands, flags, warm_start
from trainer.flags import flag
from trainer.terminal import quantity
from trainer.warm_start.source import Source, Tensor

PROG = f"{commands.PROG} tables"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/flights
  {PROG} 'london/*ckpt-1000*'"""


@dataclass(frozen=True)
class Settings:
    """What the listing can be told."""

    source: tuple[str, ...] = commands.SOURCE
    all: bool = flag(False, "list what optimizers keep as well, and everything that is no matrix", group="listing")


def main(argv: Sequence[str]) -> int:
    """Prints a source's tensors and returns the exit code.

    Args:
        argv: The source, a path or a pattern, and flags.

    Raises:
        Refusal: There is not one source, or it cannot be read.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    source = warm_start.opened(commands.only(given.source, PROG, commands.SOURCE_WANTED), PROG)
    print("\n".join(listing(source, given.all)))
    return 0


def listing(source: Source, everything: bool) -> list[str]:
    """Returns the lines that tell a person what a source holds."""
    shown = [tensor for tensor in source.tensors if everything or tensor.is_matrix]
    lines = [f"{source.place}: {source.kind}, {len(source.tensors):,} tensor{'s' * (len(source.tensors) != 1)}"]
    rows = [(_name(tensor), _shape(tensor), tensor.dtype, _size(tensor), _role(source, tensor)) for tensor in shown]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    for row in rows:
        lines.append("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
    hidden = len(source.tensors) - len(shown)
    if hidden:
        lines.append(f"{hidden:,} more that are no tables: --all lists them")
    return lines


def _name(tensor: Tensor) -> str:
    return tensor.name + (f" ({tensor.others[0]})" if tensor.others and tensor.others[0] != tensor.name else "")


def _shape(tensor: Tensor) -> str:
    return " × ".join(f"{size:,}" for size in tensor.shape) or "one number"


def _size(tensor: Tensor) -> str:
    import ml_dtypes  # noqa: F401  # which makes NumPy know bfloat16
    import numpy as np

    try:
        size = np.dtype(tensor.dtype).itemsize
    except TypeError:  # strings, and dtypes that TensorFlow alone has
        return ""
    return quantity(int(np.prod(tensor.shape)) * size) if size else ""


def _role(source: Source, tensor: Tensor) -> str:
    if tensor.is_slot:
        return "kept by an optimizer"
    if not source.looks_like_table(tensor):
        return ""
    keys = tensor.keys()
    return "looks like an embedding table" if keys is None else f"embedding table, {keys.described}"
