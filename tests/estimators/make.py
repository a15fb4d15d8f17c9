"""Trains the old models: `python -m tests.estimators.make OUT`, by a Python that has TensorFlow 2.15.

`--archive` writes what they became into `models.tar.xz` beside this file.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from tests import estimators
from tests.estimators import columns, rows
from tests.estimators.models import MODELS

SEED = 15


def main(argv: Sequence[str]) -> None:
    """Trains the models that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--seed", type=int, default=SEED, help="of columns, rows and weights (default %(default)s)")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="as v1/DNNClassifier; all without it")
    parser.add_argument("--short", action="store_true", help="no exports, and no logits after more steps")
    parser.add_argument("--archive", action="store_true", help="pack the folder into models.tar.xz")
    given = parser.parse_args(argv)
    _silence()
    from tests.estimators import training  # loads TensorFlow, which is to be silent from its start

    given.out.mkdir(parents=True)
    os.chdir(given.out)  # the name of the vocabulary's file is written into graphs
    here = Path()
    drawn = rows.draw(given.seed)
    rows.write(drawn, here / "rows.csv")
    columns.write_vocabulary(here)
    for number, model in enumerate(MODELS):
        if given.models is None or model.name in given.models:
            begin = time.monotonic()
            training.train(model, given.seed * 100 + number, drawn, here, given.short)
            print(f"{model.name}: {time.monotonic() - begin:.1f} s", flush=True)
    if given.archive:
        print(f"{estimators.pack(here).stat().st_size:,} bytes")


def _silence() -> None:
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    warnings.simplefilter("ignore")
    import tensorflow as tf

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.FATAL)


if __name__ == "__main__":
    main(sys.argv[1:])
