"""Which accelerators go with which machines, as the documentation of Vertex AI's training has it.

Source: "Configure compute resources for serverless training", docs.cloud.google.com, read in November 2026.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.errors import Refusal, nearest
from trainer.terminal import listed

Counts = tuple[int, ...]

PLAIN_DEFAULT = "n1-standard-4"
"""A machine for what needs none in particular."""

FIXED: dict[str, dict[str, int]] = {
    "NVIDIA_TESLA_A100": {**{f"a2-highgpu-{n}g": n for n in (1, 2, 4, 8)}, "a2-megagpu-16g": 16},
    "NVIDIA_A100_80GB": {f"a2-ultragpu-{n}g": n for n in (1, 2, 4, 8)},
    "NVIDIA_H100_80GB": {f"a3-highgpu-{n}g": n for n in (1, 2, 4, 8)},
    "NVIDIA_H100_MEGA_80GB": {"a3-megagpu-8g": 8},
    "NVIDIA_H200_141GB": {"a3-ultragpu-8g": 8},
    "NVIDIA_B200": {"a4-highgpu-8g": 8},
    "NVIDIA_GB200": {"a4x-highgpu-4g": 4},
    "NVIDIA_L4": {
        **{f"g2-standard-{processors}": 1 for processors in (4, 8, 12, 16, 32)},
        **{f"g2-standard-{12 * n}": n for n in (2, 4, 8)},
    },
    "NVIDIA_RTX_PRO_6000": {f"g4-standard-{48 * n}": n for n in (1, 2, 4, 8)},
}
"""Machines that have their accelerators built in, and how many, by the accelerators' type."""

N1: dict[int, dict[str, Counts]] = {
    8: {"T4": (1, 2, 4), "V100": (1, 2, 4, 8)},
    16: {"T4": (1, 2, 4), "V100": (2, 4, 8)},
    32: {"T4": (2, 4), "V100": (4, 8)},
    96: {"T4": (4,), "V100": (8,)},
}
"""How many accelerators a machine of the family n1 takes, up to a number of processors; P4 and P100 are as T4."""

PLAIN: dict[str, dict[str, Counts]] = {
    "c2": {"standard": (4, 8, 16, 30, 60)},
    "e2": {"standard": (4, 8, 16, 32), "highmem": (2, 4, 8, 16), "highcpu": (16, 32)},
    "m1": {"ultramem": (40, 80, 160), "megamem": (96,)},
    "n1": {
        "standard": (4, 8, 16, 32, 64, 96),
        "highmem": (2, 4, 8, 16, 32, 64, 96),
        "highcpu": (16, 32, 64, 96),
    },
    "n2": {
        "standard": (4, 8, 16, 32, 48, 64, 80),
        "highmem": (2, 4, 8, 16, 32, 48, 64, 80),
        "highcpu": (16, 32, 48, 64, 80),
    },
    "n4": dict.fromkeys(("standard", "highmem", "highcpu"), (2, 4, 8, 16, 32, 48, 64, 80)),
}
"""Machines without accelerators of their own: processors by family and kind."""

BUILT_IN = {machine: (accelerator, count) for accelerator, has in FIXED.items() for machine, count in has.items()}
"""The accelerators that a machine has, and how many."""

KNOWN = (
    *(f"{family}-{kind}-{n}" for family, kinds in PLAIN.items() for kind, sizes in kinds.items() for n in sizes),
    *BUILT_IN,
)
"""The machine types of the documentation that this package can use; TPUs are not among them."""


@dataclass(frozen=True)
class Machine:
    """What a replica runs on.

    Args:
        name: The machine type.
        accelerator: The type of its accelerators.
        count: How many it has.
    """

    name: str
    accelerator: str | None = None
    count: int = 0

    @property
    def is_known(self) -> bool:
        """Whether it is one of the documentation's."""
        return self.name in KNOWN

    def __str__(self) -> str:
        return f"{self.name} with {self.count} {self.accelerator}" if self.accelerator else self.name


def counts(machine: str) -> dict[str, Counts]:
    """Returns how many accelerators a machine takes, by their type; of one that takes none, nothing.

    Example:
        >>> counts("n1-standard-16")["NVIDIA_TESLA_V100"], counts("g2-standard-24"), counts("e2-standard-4")
        ((2, 4, 8), {'NVIDIA_L4': (2,)}, {})
    """
    if machine in BUILT_IN:
        accelerator, count = BUILT_IN[machine]
        return {accelerator: (count,)}
    family, _, processors = machine.partition("-")[0], *machine.rpartition("-")[1:]
    if machine not in KNOWN or family != "n1":
        return {}
    row = next(row for most, row in N1.items() if int(processors) <= most)
    taken = {f"NVIDIA_TESLA_{name}": row["T4"] for name in ("P4", "P100", "T4")}
    # Four P100s end at 64 processors and 208 GB.
    if int(processors) >= 64 and machine != "n1-highcpu-64":
        del taken["NVIDIA_TESLA_P100"]
    return {**taken, "NVIDIA_TESLA_V100": row["V100"]}


def chosen(machine: str, accelerator: str | None, count: int | None) -> Machine:
    """Returns a machine with its accelerators; those that a machine type always has need not be named.

    Args:
        machine: The machine type; one that the documentation does not name takes what is asked for.
        accelerator: The type of accelerators.
        count: How many; None is the fewest that the machine takes.

    Raises:
        Refusal: The machine does not take them.

    Example:
        >>> print(chosen("g2-standard-24", None, None))
        g2-standard-24 with 2 NVIDIA_L4
    """
    takes = counts(machine)
    if accelerator is None and machine in BUILT_IN:
        accelerator = BUILT_IN[machine][0]
    if accelerator is None:
        if count is not None:
            raise Refusal("--accelerator-count: give --accelerator-type as well, as in NVIDIA_TESLA_T4.")
        return Machine(machine)
    if machine not in KNOWN:
        return Machine(machine, accelerator, count or 1)
    if accelerator not in takes:
        raise Refusal(_not_together(machine, accelerator, list(takes)))
    if count is not None and count not in takes[accelerator]:
        raise Refusal(
            f"--accelerator-count: {machine} takes {_either(takes[accelerator])} of {accelerator}, not {count}."
        )
    return Machine(machine, accelerator, count or takes[accelerator][0])


def without_accelerators(machine: str | None, beside: str) -> Machine:
    """Returns the machine of a parameter server.

    Args:
        machine: The machine type that was asked for, if any.
        beside: That of the other replicas.

    Raises:
        Refusal: A machine of that type has accelerators.
    """
    if machine in BUILT_IN:
        accelerator = BUILT_IN[machine][0]
        raise Refusal(
            f"--server-machine-type: {machine} comes with {accelerator}, for which a parameter server has no use; give "
            f"one without, as {PLAIN_DEFAULT}."
        )
    return Machine(machine or (PLAIN_DEFAULT if beside in BUILT_IN else beside))


def _either(things: Sequence[object]) -> str:
    *first, last = map(str, things)
    return f"{', '.join(first)} or {last}" if first else last


def _not_together(machine: str, accelerator: str, takes: list[str]) -> str:
    fitting = [name for name in KNOWN if accelerator in counts(name)]
    if not fitting:
        known = sorted({name for one in KNOWN for name in counts(one)})
        ending = nearest(accelerator, known) or f"; there are {', '.join(known)}."
        return f"--accelerator-type: there is no '{accelerator}' for {machine}{ending}"
    what = f"takes {_either(takes)}, not {accelerator}" if takes else f"takes no accelerators, so no {accelerator}"
    return f"--accelerator-type: {machine} {what}; that goes with {listed(fitting, most=8)}."
