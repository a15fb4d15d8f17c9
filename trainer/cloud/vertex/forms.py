"""Whether what names something in Google Cloud has the form that such names have."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from trainer import flags
from trainer.cloud import image
from trainer.cloud.vertex import machines
from trainer.cloud.vertex.settings import Settings
from trainer.errors import Refusal, nearest
from trainer.terminal import shortened

REGIONS = tuple(
    f"{place}{number}"
    for place, numbers in {
        "africa-south": (1,),
        "asia-east": (1, 2),
        "asia-northeast": (1, 2, 3),
        "asia-south": (1,),
        "asia-southeast": (1, 2),
        "australia-southeast": (1, 2),
        "europe-central": (2,),
        "europe-north": (1,),
        "europe-southwest": (1,),
        "europe-west": (1, 2, 3, 4, 6, 8, 9, 12),
        "me-central": (1, 2),
        "me-west": (1,),
        "northamerica-northeast": (1, 2),
        "southamerica-east": (1,),
        "southamerica-west": (1,),
        "us-central": (1,),
        "us-east": (1, 4, 5),
        "us-south": (1,),
        "us-west": (1, 2, 3, 4),
    }.items()
    for number in numbers
)
"""Where gcloud 528 lets custom jobs run; there may be more since."""


def check(settings: Settings) -> list[str]:
    """Returns what a person might want to know of names that are taken as they are.

    Raises:
        Refusal: A name is missing, or has a form that none has.
    """
    wanted = ("region", "staging_bucket", *(("project",) if settings.dry_run else ()))
    for name in wanted:
        if not getattr(settings, name):
            raise Refusal(f"submit: --backend vertex wants {flags.flag_name(name)}; --help tells what it is.")
    _check_region(settings.region or "")
    _check_bucket("staging_bucket", settings.staging_bucket or "")
    if settings.base_output_dir is not None:
        _check_bucket("base_output_dir", settings.base_output_dir)
    _match(
        "project",
        settings.project,
        r"([a-z0-9.-]+:)?[a-z][a-z0-9-]*[a-z0-9]|[a-z]|\d+",
        "a project's id, as in my-project",
    )
    _match(
        "network",
        settings.network,
        r"projects/\d+/global/networks/[a-z]([a-z0-9-]*[a-z0-9])?",
        "a network's full name with the project's number is wanted, as in projects/12345/global/networks/default",
    )
    _match(
        "service_account",
        settings.service_account,
        r"[^@\s]+@[^@\s]+\.[^@\s]+",
        "an e-mail address is wanted, as in trainer@my-project.iam.gserviceaccount.com",
    )
    _check_tensorboard(settings)
    _check_labels(settings.labels)
    _match("image", settings.image, r"[^\s]+", f"a container's image is wanted, as in {image.BASE}")
    if settings.boot_disk_gb is not None and settings.boot_disk_gb > 64_000:
        raise Refusal(f"--boot-disk-gb: a whole number from 100 to 64000 is wanted, not {settings.boot_disk_gb}.")
    _ = settings.timeout_seconds
    for name in ("trials", "parallel_trials"):
        if getattr(settings, name) is not None and not settings.tune:
            flag = flags.flag_name(name)
            raise Refusal(f"{flag}: it says something of --tune; give --tune as well, or leave {flag} out.")
    return _notes(settings)


def check_name(settings: Settings, name: str) -> None:
    """Refuses what no job can be called, be it given or made of the problem's name.

    Raises:
        Refusal: It is empty or too long.
    """
    if not 0 < len(name) <= 128:
        made = f", as {shortened(name, 60)} has; give one" if settings.display_name is None else ""
        raise Refusal(f"--display-name: 1 to 128 letters are wanted, not {len(name)}{made}.")


def bucket_name(path: str) -> str:
    """Returns the name of the bucket in a path.

    Example:
        >>> bucket_name("gs://bucket/runs/x")
        'bucket'
    """
    return PurePosixPath(path.removeprefix("gs://")).parts[0]


def _notes(settings: Settings) -> list[str]:
    found = []
    if settings.region not in REGIONS:
        ending = nearest(settings.region or "", REGIONS) or "."
        found.append(f"--region: {settings.region} is none of the regions that are known here{ending}")
    for flag in ("machine_type", "server_machine_type"):
        if (name := getattr(settings, flag)) and name not in machines.KNOWN:
            ending = nearest(name, machines.KNOWN) or "."
            found.append(f"{flags.flag_name(flag)}: {name} is none that is known here, and is sent as it is{ending}")
    if len(bucket := bucket_name(settings.bucket)) < 3:
        sentence = f"--staging-bucket: no bucket is called '{bucket}', since names have at least 3 letters."
        if not settings.dry_run:  # as an example the shortest will do
            raise Refusal(sentence)
        found.append(sentence)
    return found


def _check_region(region: str) -> None:
    zone = re.fullmatch(r"([a-z]+-[a-z]+\d+)-[a-z]", region)
    if zone:
        raise Refusal(f"--region: {region} is a zone; give its region, {zone[1]}.")
    _match("region", region, r"[a-z]+-[a-z]+\d+", "a region is wanted, as in us-central1")


def _check_bucket(name: str, path: str) -> None:
    flag = flags.flag_name(name)
    what = (
        "a folder of a bucket is wanted, as in gs://bucket/run"
        if name == "base_output_dir"
        else ("a bucket is wanted, as in gs://bucket")
    )
    if not re.fullmatch(r"gs://[^/\s]+(/[^/\s]+)*/?", path):
        raise Refusal(f"{flag}: {what}, not '{path}'.")
    bucket = bucket_name(path)
    parts = bucket.split(".")
    is_form = re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", bucket) and all(parts) and len(bucket) <= 222
    if not is_form or max(map(len, parts)) > 63 or re.fullmatch(r"\d+(\.\d+){3}", bucket):
        raise Refusal(
            f"{flag}: no bucket is called '{bucket}'; a name has 3 to 63 lowercase letters, digits, '-', '_' and '.', "
            "begins and ends with a letter or digit, and is no address of a network."
        )
    if bucket.startswith("goog") or "google" in bucket:
        raise Refusal(f"{flag}: no bucket may be called '{bucket}': names with goog or google are Google's own.")


def _check_tensorboard(settings: Settings) -> None:
    if settings.tensorboard is None:
        return
    wanted = "an instance's full name is wanted, as in projects/my-project/locations/us-central1/tensorboards/12345"
    _match("tensorboard", settings.tensorboard, r"projects/[^/\s]+/locations/[^/\s]+/tensorboards/[^/\s]+", wanted)
    place = settings.tensorboard.split("/")[3]
    if place != settings.region:
        raise Refusal(
            f"--tensorboard: the instance is in {place}, the job in {settings.region}; give an instance of its region."
        )
    if not settings.service_account:
        raise Refusal(
            "--tensorboard: the job writes to the instance as a service account; give --service-account, one that may "
            "write to the bucket and to Vertex AI."
        )


def _check_labels(labels: Sequence[str]) -> None:
    keys = set()
    for text in labels:
        key, equals, value = text.partition("=")
        good = re.fullmatch(r"[^\W\d_A-Z][\w-]{0,62}", key) and re.fullmatch(r"[\w-]{0,63}", value)
        if not equals or not good or text != text.lower():
            raise Refusal(
                f"--labels: KEY=VALUE is wanted, each of at most 63 lowercase letters, digits, '-' and '_' and the key "
                f"beginning with a letter, not '{text}'."
            )
        if key in keys:
            raise Refusal(f"--labels: {key} is given twice; give it once.")
        keys.add(key)
    if len(keys) > 64:
        raise Refusal(f"--labels: a job has at most 64 of them, not {len(keys)}.")


def _match(name: str, value: str | None, pattern: str, wanted: str) -> None:
    if value is not None and not re.fullmatch(pattern, value):
        raise Refusal(f"{flags.flag_name(name)}: {wanted}, not '{value}'.")
