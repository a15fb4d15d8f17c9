import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import flags as command_line
from trainer import scale
from trainer.commands import plan
from trainer.errors import Refusal

ROOT = Path(__file__).parents[1]
ISSUE = "--rows 1e9 --dimension 32 --batch 4096 --workers 32 --optimizer RowWiseAdagrad"


def printed(flags: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert plan.main(shlex.split(flags)) == 0
    return capsys.readouterr().out.splitlines()


def cells(lines: list[str], name: str) -> list[str]:
    line = next(line for line in lines if line.startswith(name))
    return [cell.strip() for cell in line.removeprefix(name).split("  ") if cell.strip()]


def test_a_billion_rows_are_planned_in_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(ISSUE, capsys)
    measured = scale.load()
    assert lines[0] == "a table of 1,000,000,000 × 32, RowWiseAdagrad, batch 4,096"
    assert lines[1] == (
        f"machines of 64.0 GB and 10 Gbit/s; seconds as measured on {measured.machine}, {measured.date}"
    )
    assert cells(lines, "fits 64.0 GB") == ["no", "no", "yes"]
    assert cells(lines, "checkpoint ") == ["132.0 GB"] * 3
    assert cells(lines, "network a step, a worker") == ["0 B", "556.5 kB", "1.2 MB"]
    (advised,) = (line for line in lines if line.startswith("advised: "))
    assert advised.startswith("advised: parameter servers, because any other way wants ")
    assert any(line.startswith("step time goes to  ") for line in lines)
    assert any(line.startswith("--storage-dtype bfloat16  memory ") for line in lines)


def test_one_machine_is_compared_with_servers_alone(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed("--rows 1M --dimension 16 --hidden '' --tables 8", capsys)
    assert lines[0] == "8 tables of 1,000,000 × 16, Adagrad, batch 4,096"
    assert lines[3].split("  ")[-2:] == ["one machine", "1 worker, 1 server"]
    assert cells(lines, "network a step, in all")[0] == "0 B"
    assert not any("workers 2" in line for line in lines)


def test_json_has_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(ISSUE, capsys)
    (line,) = printed(f"{ISSUE} --json", capsys)
    found = json.loads(line)
    assert [way["name"] for way in found["ways"]] == ["one machine", "in step", "parameter servers"]
    told = [f"{way['examples_per_second']:,.0f}" for way in found["ways"]]
    assert cells(lines, "examples a second") == told
    for way in found["ways"]:
        assert way["step_seconds"] == pytest.approx(sum(way["seconds"].values()))
        assert way["network_bytes"] == pytest.approx(way["workers"] * sum(way["network"].values()))
    assert found["advised"] == "parameter servers"
    assert found["settings"]["rows"] == "1e9"


@pytest.mark.parametrize(
    ("flags", "rows", "network", "disk"),
    [
        ("--rows 1e9", 10**9, 1.25e9, None),
        ("--rows 20M --network 1.2GB/s --disk 500MB", 20_000_000, 1.2e9, 5e8),
        ("--rows 1,000,000 --network 25gbit", 1_000_000, 3.125e9, None),
        ("--rows 1.5k --network 100Mbps", 1500, 1.25e7, None),
    ],
)
def test_numbers_are_read_as_people_write_them(flags: str, rows: int, network: float, disk: float | None) -> None:
    given = plan.Settings(**command_line.parse(plan.Settings, shlex.split(flags), plan.PROG, ""))
    made = plan.planned(given)
    assert made.work.tables[0].rows == rows
    assert (made.machine.network, made.machine.disk) == (network, disk)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("", "python -m trainer plan: --rows is wanted, as in --rows 1e9; see --help."),
        ("--rows many", "--rows: a whole number of at least 1 is wanted, as 1e9 or 20M, not 'many'."),
        ("--rows 1.5", "--rows: a whole number of at least 1 is wanted, as 1e9 or 20M, not '1.5'."),
        ("--rows 0", "--rows: a whole number of at least 1 is wanted, as 1e9 or 20M, not '0'."),
        ("--rows 5 --hidden 64,x", "--hidden: a whole number of at least 1 is wanted, as 1e9 or 20M, not 'x'."),
        ("--rows 5 --batch 4 --workers 8", "--batch: 8 workers want a batch of at least as many, not 4."),
        ("--rows 5 --zipf -1", "--zipf: a number of at least 0 is wanted, not -1."),
        ("--rows 5 --network fast", "--network: a rate such as 10Gbit or 1.2GB is wanted, not 'fast'."),
        ("--rows 5 --network 0Gbit", "--network: a rate such as 10Gbit or 1.2GB is wanted, not '0Gbit'."),
        ("--rows 5 --memory big", "--memory: a size such as 512MB or 8GB is wanted, not 'big'."),
        ("--rows 5 --optimizer Adagard", "--optimizer: there is no 'Adagard'; did you mean 'Adagrad'?"),
        ("--rows 5 --worker 2", "python -m trainer plan: there is no flag --worker; did you mean '--workers'?"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(flags: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        plan.main(shlex.split(flags))
    assert str(refusal.value) == sentence


def test_a_machine_has_more_memory_than_a_process_takes() -> None:
    with pytest.raises(Refusal, match=r"--memory: more than [\d.]+ MB is wanted, which a process takes before"):
        plan.main(["--rows", "5", "--memory", "10MB"])


def test_a_plan_loads_no_library_that_takes_long() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "trainer", "plan", *ISSUE.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert imported & {"tensorflow", "keras", "numpy", "pyarrow"} == set()
