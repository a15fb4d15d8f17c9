import copy
import json
from typing import Any

import pytest

from tests.submissions import VERTEX
from tests.vertex_service import Refused, Vertex
from trainer.cloud.vertex import request
from trainer.cloud.vertex.request import Container

PATH = "/v1/projects/my-project/locations/us-central1/customJobs"
MADE = request.custom_job(VERTEX, "try 1", Container("packages/ab12/x.tar.gz", None, ("--seed", "1")))


def answer(made: dict[str, Any]) -> dict[str, Any]:
    return Vertex().answer("POST", PATH, json.dumps(made).encode())


def test_a_job_gets_a_name_and_waits() -> None:
    made = answer(MADE)
    assert made["name"] == "projects/123456/locations/us-central1/customJobs/7001"
    assert made["state"] == "JOB_STATE_PENDING"
    assert made["displayName"] == "try 1"


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (["displayName"], None, "The following required fields are not set: display_name."),
        (["jobSpec", "workerPoolSpecs"], None, "The following required fields are not set: worker_pool_specs."),
        (
            ["jobSpec", "workerPoolSpecs", 0, "machineSpec"],
            None,
            "The following required fields are not set: worker_pool_specs[0].machine_spec.machine_type.",
        ),
        (["jobSpec", "workerPoolSpecs", 0, "replicaCount"], 2, "worker_pool_specs[0].replica_count must be 1."),
        (["jobSpec", "spot"], True, 'has no field named "spot"'),
        (["jobSpec", "workerPoolSpecs", 0, "containerSpec", "args"], "--seed", "Failed to parse args field"),
        (["jobSpec", "scheduling"], {"strategy": "CHEAP"}, "Invalid enum value CHEAP for enum type"),
    ],
)
def test_what_the_api_would_refuse_is_refused(place: list[Any], value: Any, sentence: str) -> None:
    made = copy.deepcopy(MADE)
    *above, last = place
    parent: Any = made
    for name in above:
        parent = parent[name]
    if value is None:
        del parent[last]
    else:
        parent[last] = value
    with pytest.raises(Refused) as refused:
        answer(made)
    assert refused.value.code == 400
    assert sentence in str(refused.value)
