"""`python -m tests.estimators FOLDER` unpacks the models into a folder."""

import sys
from pathlib import Path

from tests import estimators

print(estimators.unpack(Path(sys.argv[1])))
