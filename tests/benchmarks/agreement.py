"""How far the Estimators of TensorFlow 2.15 and what became of them are apart: `python -m tests.benchmarks.agreement`.

Each model of `tests/estimators/models.tar.xz` is brought over by `from_estimator` and answers its 1,000 rows; then it
takes the same 100 steps of 10 rows that the Estimator has taken from the same checkpoint. Printed is the largest
difference of any logit, before and after, and how far these steps have moved one.
"""

import tempfile
from pathlib import Path

import numpy as np

from tests import estimators
from tests.benchmarks.pairs import parser, write
from tests.estimators import migrated
from tests.estimators.models import MODELS
from trainer.terminal import aligned

BAR, LATER_BAR = 1e-5, 1e-4


def measured(folder: Path, name: str) -> dict[str, float]:
    """Returns the largest differences of one model."""
    model, expected = migrated.model(folder, name), migrated.expected(folder, name)
    before = migrated.logits(model, folder, name)
    model.fit(migrated.batches(folder, name), shuffle=False, verbose=0)
    after = migrated.logits(model, folder, name)
    return {
        "logits": float(np.abs(before - expected["logits"]).max()),
        "later": float(np.abs(after - expected["later"]).max()),
        "moved": float(np.abs(expected["later"] - expected["logits"]).max()),
    }


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    flags = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as unpacked:
        folder = estimators.unpack(Path(unpacked))
        names = [model.name for model in MODELS][: 1 if flags.quick else None]
        found = {name: measured(folder, name) for name in names}
    worst = {key: max(each[key] for each in found.values()) for key in ("logits", "later")}
    lines = [[name, *(f"{each[key]:.2g}" for key in ("logits", "later", "moved"))] for name, each in found.items()]
    print("\n".join(aligned([["", "logits", "after 100 steps", "which moved them"], *lines], right=(1, 2, 3))))
    print(f"largest {worst['logits']:.2g} (at most {BAR:g}), {worst['later']:.2g} (at most {LATER_BAR:g})")
    write(flags.json, {"models": found, "largest": worst})


if __name__ == "__main__":
    main()
