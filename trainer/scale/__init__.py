"""What a job of large tables takes on one machine and on several, by formulas and constants that were measured."""

from trainer.scale.advice import Plan, differences
from trainer.scale.constants import Constants, Seconds, load
from trainer.scale.ways import Way, in_step, one_machine, parameter_servers
from trainer.scale.work import OPTIMIZERS, Machine, Table, Work

__all__ = [
    "OPTIMIZERS",
    "Constants",
    "Machine",
    "Plan",
    "Seconds",
    "Table",
    "Way",
    "Work",
    "differences",
    "in_step",
    "load",
    "one_machine",
    "parameter_servers",
]
