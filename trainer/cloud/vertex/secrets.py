"""Secrets have no place in a job's request: whoever may see the job reads them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.errors import Refusal
from trainer.flags import flag_name

SHAPES = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Google access token": r"\bya29\.[0-9A-Za-z_-]{20}",
    "a Google client secret": r"\bGOCSPX-[0-9A-Za-z_-]{20}",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30}",
    "a signed web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a password in an address": r"://[^/\s:@]+:[^/\s:@]+@",
}
"""What secrets look like, by what they are."""

NAMES = r"(^|_)(password|passwd|passphrase|secret|token|credentials?|(api|access|private|secret)_?key)(_|$)"
"""What settings are called that hold secrets."""

INSTEAD = "keep it in Secret Manager, and let a problem file of your own read it there as the job's service account"


def check(argv: Sequence[str], labels: Sequence[str] = (), arguments: Mapping[str, Any] | None = None) -> None:
    """Refuses a job that carries what looks like a secret; the secret is not shown again.

    Args:
        argv: The flags of the task.
        labels: The job's labels.
        arguments: The problem's own settings that are not as its file has them, by name.

    Raises:
        Refusal: There is one.

    Example:
        >>> check(["--dataset", "AKIAIOSFODNN7EXAMPLE"])
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: --dataset: this looks like an AWS access key, which everyone who may see the job \
would read; keep it in Secret Manager, and let a problem file of your own read it there as the job's service account.
    """
    flag = "the task's flags"
    for word in argv:
        flag = word.partition("=")[0].replace("_", "-") if re.match("--[A-Za-z]", word) else flag
        _refuse_shape(flag, word)
    for label in labels:
        _refuse_shape("--labels", label)
    for name, value in (arguments or {}).items():
        if isinstance(value, str) and value and re.search(NAMES, name):
            raise Refusal(
                f"{flag_name(name)}: a setting of this name holds a secret, which everyone who may see the job would "
                f"read; {INSTEAD}."
            )
    for label in labels:
        key, _, value = label.partition("=")
        if value and re.search(NAMES, key.replace("-", "_")):
            raise Refusal(
                f"--labels: {key} looks like a secret, which everyone who may see the job would read; {INSTEAD}."
            )


def _refuse_shape(flag: str, text: str) -> None:
    for what, shape in SHAPES.items():
        if re.search(shape, text):
            raise Refusal(f"{flag}: this looks like {what}, which everyone who may see the job would read; {INSTEAD}.")
