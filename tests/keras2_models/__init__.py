"""Models that Keras 2 wrote: drawn and trained by `models`, saved by `make`, unpacked by `fixtures`."""
