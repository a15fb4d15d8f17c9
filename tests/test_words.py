"""Problem words: texts in, a vector for each word out."""

from tests.real_data import DATA  # noqa: F401
