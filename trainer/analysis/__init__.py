"""What is in the columns of files of which nothing is known yet: kinds, values, quantiles, what is odd in them."""

from trainer.analysis.analysis import Analysis, Found
from trainer.analysis.column import Column
from trainer.analysis.local import Reading, of_files, spaced

__all__ = ["Analysis", "Column", "Found", "Reading", "of_files", "spaced"]
