"""Vertex AI: a job in containers of a plain Python, which install the package from the bucket and train.

The prebuilt TensorFlow images of Vertex AI end at 2.17, so the container is a plain one: it installs the package from
the bucket, which is mounted at /gcs/, and starts `python -m trainer.task`. Everything here is from Vertex AI's
documentation and tested against stand-ins of its API; none of it has been tried with an account.
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from trainer.cloud import arguments, luggage, package, study
from trainer.cloud.arguments import Asked
from trainer.cloud.luggage import Luggage
from trainer.cloud.vertex import by_hand, checks, goods, request, sending, service
from trainer.cloud.vertex.goods import Goods
from trainer.cloud.vertex.settings import Settings as Settings


def notes() -> str:
    """Returns what `submit --help` says of this backend."""
    return """\
vertex: --dry-run needs neither an account nor the network: it prints the request (YAML with the extra cloud, else
  JSON), and on stderr what it has checked and the gcloud commands that do the same. Sending wants the extra cloud:
  pip install 'embedding-columns[cloud]'. It follows Vertex AI's documentation; it was not tried with an account.
  The container is a plain Python 3.12, because the prebuilt TensorFlow images end at 2.17. With --spot give the task
  --resume. Credentials are those of gcloud auth application-default login; the endpoints are gcloud's, and
  CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM and …_LOGGING change them as they do for gcloud."""


def submit(settings: Settings, argv: Sequence[str]) -> int:
    """Sends a job and shows it until it ends, or prints its request and the commands that do the same by hand.

    Args:
        settings: The flags of submit.
        argv: The flags of the task.

    Returns:
        The job's exit code.

    Raises:
        Refusal: A flag cannot be used, or names what a cloud cannot see.
        TrainingFailure: Something could not be built, staged or sent.
    """
    asked = arguments.read(argv)
    name = _name(asked) if settings.display_name is None else settings.display_name
    if settings.parameter_servers:
        from trainer.job.plan import check_servers  # NumPy comes with it

        check_servers(asked.settings)
    tried = study.of(asked, settings.metric) if settings.tune else None
    checked = checks.flags(settings, name, asked)
    for note in checked.notes:
        print(f"note: {note}", file=sys.stderr)
    who = None if settings.dry_run else service.account(settings.project)
    packed = luggage.packed(asked)
    with tempfile.TemporaryDirectory() as folder:
        built = package.build(Path(folder))
        is_whole = checks.package(built)
        staged = goods.of(built, packed)
        job = settings, name, _container(asked, packed, staged)
        made = request.custom_job(*job) if tried is None else request.tuning_job(*job, tried.specification)
        if who is not None:
            return sending.send(settings, who, made, staged, asked, tried)
        _show(settings, made, staged, [*checked.done, is_whole])
    return 0


def _name(asked: Asked) -> str:
    """Returns a name that two jobs of one second do not share, since their runs are left in folders of that name."""
    now = datetime.now()
    return f"{package.NAME}-{asked.problem.name}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"


def _container(asked: Asked, packed: Luggage, staged: Goods) -> request.Container:
    argv = arguments.with_places(asked.argv, packed.renamed)
    return request.Container(staged.package, staged.listing_place, tuple(argv))


def _show(settings: Settings, made: dict[str, Any], staged: Goods, checked: Sequence[str]) -> None:
    """Prints the request alone on stdout, and all else on stderr."""
    lines = [f"checked {line}" for line in checked]
    print(*lines, "not checked: the account, its quota, and what is in the bucket", sep="\n", file=sys.stderr)
    print("the same by hand:", *by_hand.commands(settings, made, staged), sep="\n", file=sys.stderr)
    print(request.as_text(made), end="")
