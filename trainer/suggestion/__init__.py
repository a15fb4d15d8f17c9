"""A problem for a table of which nothing is known yet, as a file of Python that a person reads and goes on with."""

from trainer.suggestion.files import of_files

__all__ = ["of_files"]
