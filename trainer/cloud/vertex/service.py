"""Google Cloud's own clients with the caller's credentials; the libraries come with the extra `cloud`."""

import importlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal, TrainingFailure
from trainer.terminal import shortened

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
LIBRARIES = {
    "google.cloud.aiplatform_v1": "google-cloud-aiplatform",
    "google.cloud.logging": "google-cloud-logging",
    "google.cloud.storage": "google-cloud-storage",
}
ANSWER_SECONDS = 60.0
"""How long one answer may take."""

PATIENCE_SECONDS = 300.0
"""How long a service that cannot be reached is asked again; the job goes on meanwhile."""

FIRST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Account:
    """Who asks, and for which project."""

    credentials: Any
    project: str


def account(project: str | None) -> Account:
    """Returns the credentials that are here, and the project: the one that is given, or theirs.

    Raises:
        Refusal: A library is missing, or there are no credentials that are taken, or no project.
        TrainingFailure: There is no network.
    """
    for module, library in LIBRARIES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            raise Refusal(
                f"submit: --backend vertex sends jobs with {library}, which is not installed; "
                "pip install 'embedding-columns[cloud]', or add --dry-run."
            ) from None
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, own = google.auth.default(scopes=SCOPES)
    except (GoogleAuthError, OSError, ValueError) as error:  # of a file that is none, or no such file, too
        if path := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            why = f"GOOGLE_APPLICATION_CREDENTIALS names {path}, which cannot be used: {_reason(error)}"
        else:
            why = "there are no Google Cloud credentials here"
        raise Refusal(f"submit: {why}; run gcloud auth application-default login.") from None
    if not (project or own):
        raise Refusal("--project: the credentials name no project; give one, as in --project my-project.")
    _refresh(credentials)
    return Account(credentials, project or own)


def _refresh(credentials: Any) -> None:
    """Asks for a token, so that it is told at once where there is none, and not at the first upload."""
    from google.auth.exceptions import RefreshError, TransportError
    from google.auth.transport.requests import Request

    try:
        credentials.refresh(Request())
    except RefreshError as error:
        why = error.args[0] if error.args else error  # what the service says; its whole answer comes after it
        raise Refusal(
            f"submit: the Google Cloud credentials are not taken ({_reason(ValueError(why))}); run gcloud auth "
            "application-default login."
        ) from None
    except TransportError as error:
        raise TrainingFailure(f"submit: Google Cloud cannot be reached: {told(error)}; nothing was staged.") from None


@dataclass(frozen=True)
class Jobs:
    """The jobs of one kind: "custom_job" or "hyperparameter_tuning_job"."""

    client: Any
    kind: str

    def create(self, parent: str, made: Mapping[str, Any]) -> Any:
        """Sends a request; it is never sent twice, since that could make two jobs."""
        from google.cloud import aiplatform_v1

        kinds = {"custom_job": aiplatform_v1.CustomJob}
        kinds["hyperparameter_tuning_job"] = aiplatform_v1.HyperparameterTuningJob
        body = {self.kind: kinds[self.kind].from_json(json.dumps(made))}
        return self._call("create")(parent=parent, **body, timeout=ANSWER_SECONDS, retry=None)

    def get(self, name: str, told: Callable[[Exception], None]) -> Any:
        """Returns a job as it is now.

        Args:
            name: In full.
            told: What is called for each time that the service could not be reached.
        """
        return self._call("get")(name=name, timeout=ANSWER_SECONDS, retry=patient(told))

    def cancel(self, name: str) -> None:
        """Asks for a job's end."""
        self._call("cancel")(name=name, timeout=ANSWER_SECONDS)

    def _call(self, verb: str) -> Any:
        return getattr(self.client, f"{verb}_{self.kind}")


def jobs(who: Account, region: str, kind: str) -> Jobs:
    """Returns the jobs of a region."""
    from google.cloud import aiplatform_v1

    endpoint = _endpoint("AIPLATFORM", f"https://{region}-aiplatform.googleapis.com")
    options = {"api_endpoint": endpoint}
    client = aiplatform_v1.JobServiceClient(credentials=who.credentials, client_options=options, transport="rest")
    return Jobs(client, kind)


def log_client(who: Account) -> Any:
    """Returns the client of Cloud Logging; over HTTP, as the rest is."""
    from google.cloud import logging

    options = {"api_endpoint": _endpoint("LOGGING", "https://logging.googleapis.com")}
    return logging.Client(project=who.project, credentials=who.credentials, client_options=options, _use_grpc=False)


def patient(told: Callable[[Exception], None]) -> Any:
    """Returns what asks again for some minutes, less and less often, as long as a service cannot be reached."""
    from google.api_core.retry import Retry

    return Retry(
        predicate=is_passing,
        initial=FIRST_PAUSE_SECONDS,
        maximum=30.0,
        multiplier=2.0,
        timeout=PATIENCE_SECONDS,
        on_error=told,
    )


def is_passing(error: BaseException) -> bool:
    """Tells whether an error may be gone in a minute: a broken connection, or a service with too much to do."""
    import requests.exceptions
    from google.api_core import exceptions
    from google.auth.exceptions import TransportError

    broken = (requests.exceptions.ConnectionError, requests.exceptions.Timeout, TransportError, ConnectionError)
    busy = (exceptions.ServerError, exceptions.TooManyRequests, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, (*broken, *busy)) or bool(getattr(error, "retryable", False))


def told(error: BaseException) -> str:
    """Returns what an error says, on one line: the service's own message where there is one.

    Example:
        >>> told(ConnectionError("aborted", OSError("nobody listens.")))
        'nobody listens'
    """
    inner = getattr(error, "cause", None) or getattr(error, "reason", None) or (error.args or [None])[-1]
    if isinstance(inner, BaseException):
        return told(inner)
    try:  # the libraries put it between words of their own
        text = error.response.json()["error"]["message"]  # type: ignore[attr-defined]  # what has none is caught
    except (AttributeError, ValueError, KeyError, TypeError):
        text = str(error) or type(error).__name__
    return shortened(" ".join(text.split()).rstrip("."), 400)


def _endpoint(service: str, usual: str) -> str:
    """Returns where a service is: gcloud's own property, as an environment variable, comes first."""
    return os.environ.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}", usual).rstrip("/")


def _reason(error: Exception) -> str:
    """Returns why credentials cannot be used: google.auth gives its sentence and the error that it came of."""
    said = error.args[-1] if error.args and not isinstance(error, OSError) else getattr(error, "strerror", None)
    return str(said or error).strip().partition("\n")[0].rstrip(".")
