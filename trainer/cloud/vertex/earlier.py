"""Whether a run is there already where a job would leave its own, which the job would find out on a rented machine."""

from trainer.cloud.arguments import Asked
from trainer.cloud.vertex.forms import bucket_name
from trainer.cloud.vertex.service import Account
from trainer.errors import Refusal


def check(who: Account, folder: str, asked: Asked) -> None:
    """Refuses a job that would end because a run is there.

    Args:
        who: Who asks.
        folder: Where the run would be left.
        asked: The task.

    Raises:
        Refusal: It holds a run, which the task's flags neither go on with nor replace.
    """
    if asked.settings.resume or asked.settings.overwrite or not folder.startswith("gs://"):
        return
    from google.cloud import storage

    name = bucket_name(folder)
    place = f"{folder.removeprefix(f'gs://{name}').strip('/')}/settings.json".lstrip("/")
    try:
        client = storage.Client(project=who.project, credentials=who.credentials)
        is_there = client.bucket(name).blob(place).exists(retry=None)
    except Exception:  # of whatever kind: who may not look there may still send a job
        return
    if is_there:
        raise Refusal(
            f"submit: {folder} holds a run; give another --display-name, or among the task's flags --resume to go on "
            "with it, --overwrite to replace it, or another --job-dir."
        )
