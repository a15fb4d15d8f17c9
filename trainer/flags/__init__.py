"""A frozen dataclass as command-line flags: one field, one flag; and a function's arguments as such a dataclass."""

from trainer.flags.functions import METAVARS, of_function
from trainer.flags.parsing import flag, glance, parse, parser, together, values_of
from trainer.flags.words import flag_name, without

__all__ = [
    "METAVARS",
    "flag",
    "flag_name",
    "glance",
    "of_function",
    "parse",
    "parser",
    "together",
    "values_of",
    "without",
]
