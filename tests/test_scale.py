import dataclasses
import doctest
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from trainer import optimizers, scale
from trainer.scale import Constants, Machine, Plan, Seconds, Table, Work, constants, sizes

PAGE = Path(scale.__file__).with_name("README.md").read_text(encoding="utf-8")
NAMES = scale.OPTIMIZERS
ROW, NUMBER = dict.fromkeys(NAMES, 1e-7), dict.fromkeys(NAMES, 3e-9)
ONE_CORE = Seconds(1e-4, 2e-5, 1e-7, 2e-8, 1e-9, 5e-12, ROW, NUMBER, 3e-4, 1e-4, 2e-9)
TWO_CORES = dataclasses.replace(ONE_CORE, id=1e-8)
MEASURED = Constants(
    machine="a machine",
    date="2026-11-30",
    tensorflow="2.21.0",
    seconds={"1": ONE_CORE, "2": TWO_CORES},
    hop=4e-4,
    turn=0.0,
    collective_rate=5e8,
    call=2e-3,
    dispatch=5e-4,
    visit=2e-4,
    served_rate=1e9,
    process_bytes=8e8,
    memory_times=1.1,
    checkpoint_rate=1e9,
)
BILLION = Work((Table(10**9, 32, optimizer="RowWiseAdagrad"),), batch=4096)
SMALL = Work((Table(100_000, 16),) * 8, batch=8192)


def plan(work: Work, workers: int, servers: int | None = None, **machine: float) -> Plan:
    return Plan(work, workers, dataclasses.replace(Machine(), **machine), MEASURED, servers)  # type: ignore[arg-type]


def test_the_formulas_of_the_page_give_the_numbers_beside_them() -> None:
    blocks = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "README.md", None, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert (result.failed, result.attempted >= 8) == (0, True), "".join(told)


def test_every_function_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:sizes|times|ways|Work)\.\w+)`", PAGE)
    assert len(named) >= 12
    for name in named:
        room, _, function = name.partition(".")
        assert hasattr(getattr(scale, room), function), name


def test_the_constants_of_the_package_are_those_of_every_optimizer_and_of_one_core_at_least() -> None:
    found = scale.load()
    assert sorted(NAMES) == optimizers.names()
    assert 1 <= found.memory_times < 1.5
    assert "1" in found.seconds
    for seconds in found.seconds.values():
        assert set(seconds.row) == set(seconds.row_number) == set(NAMES)
        assert seconds.step > 0
    assert found.on(1) == found.seconds["1"]
    assert found.on(64) == found.seconds[max(found.seconds)]


def test_constants_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "constants.json").write_text(constants.text(MEASURED))
    assert scale.load(tmp_path / "constants.json") == MEASURED


@pytest.mark.parametrize("name", NAMES)
def test_slots_take_what_the_optimizer_of_that_name_makes(name: str) -> None:
    import keras

    rows, dimension = 50, 6
    table = keras.Variable(np.zeros((rows, dimension), np.float32), name="table")
    table.is_table = True
    optimizer = optimizers.get(name, 0.1)
    before = len(optimizer.variables)
    optimizer.build([table])
    made = [v for v in optimizer.variables[before:] if v.shape[:1] == (rows,)]
    assert sizes.slot_bytes(rows, dimension, name) == sum(4 * math.prod(variable.shape) for variable in made)


@pytest.mark.parametrize(("rows", "ids", "zipf"), [(50, 200, 0.0), (300, 100, 1.1), (20_000, 5000, 1.1), (7, 0, 0.5)])
def test_different_rows_are_as_many_as_are_met_when_ids_are_drawn(rows: int, ids: int, zipf: float) -> None:
    shares = np.arange(1, rows + 1) ** -zipf
    exact = np.sum(1 - (1 - shares / shares.sum()) ** ids)
    assert sizes.different(rows, ids, zipf) == pytest.approx(exact, rel=2e-3)
    draw = np.random.default_rng(0)
    met = [len(np.unique(draw.choice(rows, ids, p=shares / shares.sum()))) for _ in range(20)]
    assert sizes.different(rows, ids, zipf) == pytest.approx(np.mean(met), rel=0.05, abs=0.1)


def test_different_rows_of_a_billion_are_at_most_the_ids_and_at_most_the_rows() -> None:
    assert sizes.different(10**9, 4096) == pytest.approx(4096, rel=1e-4)
    assert sizes.different(1, 4096) == 1
    assert sizes.different(10**9, 1e12) <= 10**9


def test_the_checkpoint_of_a_billion_rows_is_the_table_and_a_number_a_row() -> None:
    dense = 33 * 64 + 65 * 32 + 33
    assert BILLION.parameters == dense
    assert BILLION.checkpoint_bytes == 128 * 10**9 + 4 * 10**9 + 2 * 4 * dense


def test_one_machine_sends_nothing_and_does_what_workers_in_step_of_one_do() -> None:
    one = plan(SMALL, 1).way("one machine")
    assert one.network_bytes == 0
    assert "network" not in one.seconds
    assert [way.name for way in plan(SMALL, 1).ways] == ["one machine", "parameter servers"]
    assert one.seconds["dense part"] == pytest.approx(1e-4 + 8192 * (1e-7 + 6 * (128 * 64 + 64 * 32 + 32) * 5e-12))
    rows = 8 * sizes.different(100_000, 8192)
    assert one.seconds["updates"] == pytest.approx(rows * (1e-7 + 16 * 3e-9))
    assert one.seconds["tables"] == pytest.approx(8 * 2e-5 + 8 * 8192 * (1e-8 + 16 * 1e-9))


def test_two_in_step_send_their_rows_and_the_sum_of_what_is_dense() -> None:
    way = plan(SMALL, 2).way("in step")
    rows = 8 * sizes.different(100_000, 4096)
    assert way.network == pytest.approx({"rows": rows * 68, "dense sums": 4 * SMALL.parameters})
    assert way.network_bytes == pytest.approx(2 * (rows * 68 + 4 * SMALL.parameters))
    assert way.seconds["network"] == pytest.approx(3 * 4e-4 + way.worker_bytes / 5e8)
    assert way.seconds["packing"] == pytest.approx(3e-4 + 8 * 1e-4 + 2 * rows * 17 * 2e-9)


def test_a_table_with_fewer_rows_than_a_share_has_ids_travels_whole() -> None:
    work = Work((Table(100, 16), Table(100_000, 8)), batch=1024)
    way = plan(work, 4).way("in step")
    assert way.network["dense sums"] == pytest.approx(2 * 3 / 4 * 4 * (work.parameters + 1700))
    assert way.network["rows"] == pytest.approx(3 * sizes.different(100_000, 256) * 36)
    assert plan(work, 4).way("in step").seconds["network"] == pytest.approx(9 * 4e-4 + way.worker_bytes / 5e8)


def test_a_slow_network_takes_as_long_as_its_bytes() -> None:
    way = plan(SMALL, 2, network=1e6).way("in step")
    assert way.seconds["network"] == pytest.approx(3 * 4e-4 + way.worker_bytes / 1e6)


def test_each_worker_in_step_updates_the_rows_of_all() -> None:
    one, two = plan(SMALL, 1).way("one machine"), plan(SMALL, 2).way("in step")
    assert two.seconds["updates"] == one.seconds["updates"]


def test_a_worker_s_step_moves_its_rows_there_and_back_the_dense_part_and_its_examples() -> None:
    way = plan(BILLION, 32).way("parameter servers")
    assert way.network["rows"] == pytest.approx(4096 * (16 + 8 * 32), rel=1e-4)
    assert way.network["dense part"] == 8 * BILLION.parameters
    assert way.network["examples"] == 4096 * (8 + 8)
    assert way.examples == 32 * 4096


def test_there_are_as_many_servers_as_hold_the_tables() -> None:
    way = plan(BILLION, 2, memory=64e9).way("parameter servers")
    assert way.servers_wanted["memory"] == math.ceil(1.1 * 132e9 / (64e9 - 8e8)) == 3
    assert way.servers == 3
    assert way.fits(Machine(memory=64e9))
    assert not plan(BILLION, 2, 2, memory=64e9).way("parameter servers").fits(Machine(memory=64e9))
    assert way.memory_bytes == pytest.approx(1.1 * 132e9 / 3 + 8e8, rel=1e-3)
    assert way.checkpoint_seconds == pytest.approx(132e9 / 3 / 1e9, rel=1e-3)


def test_there_are_as_many_servers_as_keep_up_with_the_workers() -> None:
    work = Work((Table(10**6, 256),), (), batch=8192)
    way = plan(work, 16).way("parameter servers")
    assert way.servers == way.servers_wanted["pace"] > way.servers_wanted["memory"] == 1
    one = plan(work, 16, 1).way("parameter servers")
    assert one.seconds["waiting for servers"] > 0
    assert "waiting for servers" not in way.seconds
    assert one.examples_per_second < way.examples_per_second


def test_many_workers_wait_for_the_one_chief() -> None:
    few, many = (plan(BILLION, count).way("parameter servers") for count in (2, 64))
    assert "waiting for the chief" not in few.seconds
    assert many.step_seconds == pytest.approx(64 * (5e-4 + 4096 * 1e-7 + 4096 * 16 / 1e9))
    more = plan(BILLION, 128).way("parameter servers")
    assert more.examples_per_second == pytest.approx(many.examples_per_second)


def test_what_no_machine_holds_goes_on_servers() -> None:
    way, why = plan(BILLION, 32).advised
    assert way.name == "parameter servers"
    assert why == "because any other way wants 146.0 GB of memory in one machine, which has 64.0 GB"


def test_what_one_machine_does_as_fast_stays_on_one() -> None:
    way, why = plan(SMALL, 2).advised
    assert way.name == "one machine"
    assert re.fullmatch(
        r"because it does [\d,]+ examples a second, where [\d,]+ by 2 in step and [\d,]+ with parameter servers would "
        r"be done",
        why,
    )


def test_a_large_dense_part_is_shared_out_in_step() -> None:
    way, why = plan(Work((Table(1000, 16),), (4096, 4096), 65536), 4, network=1e11).advised
    assert way.name == "in step"
    assert why.endswith("its result is that of one machine")


def test_too_few_servers_are_told_how_many_would_do() -> None:
    way, why = plan(BILLION, 32, 2).advised
    assert (way.name, way.servers) == ("parameter servers", 2)
    assert why == "with 3 of them: 2 do not hold it, as no other way does"


def test_what_would_change_it_is_reckoned_by_the_same_formulas() -> None:
    made = plan(Work((Table(10**8, 32, optimizer="Adagrad"),), batch=4096), 1, 1)
    way, _ = made.advised
    changes = dict(made.changes)
    work = Work((Table(10**8, 32, optimizer="RowWiseAdagrad"),), batch=4096)
    assert changes["--optimizer RowWiseAdagrad"] == plan(work, 1, 1).way(way.name)
    assert scale.differences(way, changes["--optimizer RowWiseAdagrad"])[0] == "memory 15.3 GB instead of 29.0 GB"
    assert "--optimizer RowWiseAdagrad" not in dict(plan(work, 1, 1).changes)


def test_constants_in_json_have_four_digits() -> None:
    assert json.loads(constants.text(dataclasses.replace(MEASURED, hop=1.23456e-4)))["hop"] == 1.235e-4
