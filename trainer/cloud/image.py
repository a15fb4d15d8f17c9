"""A container image of one's own for jobs on a cloud: what the package requires is in it, and a job starts sooner."""

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from trainer.cloud import package

BASE = "python:3.12-slim"
"""A plain Python: Vertex AI's own TensorFlow images end at TensorFlow 2.17 and Python 3.10."""

ACCELERATED = "tensorflow[and-cuda]"
"""What has to be installed besides where there are accelerators: TensorFlow with NVIDIA's libraries."""


def dockerfile(is_accelerated: bool = False, more: Sequence[str] = ()) -> str:
    """Returns a Dockerfile that needs no other file; the package itself is installed by each job, as it is then.

    Args:
        is_accelerated: Whether the machines have accelerators.
        more: What a problem's own code imports besides.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = package.build(Path(folder)).requirements
    wanted = [*requirements, *([ACCELERATED] if is_accelerated else []), *more]
    lines = " \\\n    ".join(shlex.quote(requirement) for requirement in wanted)
    return f"""\
# docker build --tag REGION-docker.pkg.dev/PROJECT/REPOSITORY/embedding-columns - < Dockerfile
FROM {BASE}
RUN python -m pip install --no-cache-dir \\
    {lines}
"""
