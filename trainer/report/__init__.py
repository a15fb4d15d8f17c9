"""What a run was and has learned, as one HTML file that a person opens, prints or sends."""

from trainer.report.page import FILE, write

__all__ = ["FILE", "write"]
