"""The problem flights, with a clock."""

import dataclasses

from tests.benchmarks.scale.clock import Clock
from trainer.problems import flights

PROBLEM = dataclasses.replace(flights.PROBLEM, callbacks=(Clock,))
