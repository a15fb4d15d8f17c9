"""What is measured of the tables of a finished training, and what of it is left in the run."""

from dataclasses import dataclass, field

from trainer import paths
from trainer.errors import Refusal
from trainer.inputs.walking import Walking
from trainer.job import summary
from trainer.job.work import Work
from trainer.measures import Measured
from trainer.vectors import LabelledVectors, Linking

MEASURES = "measures.json"
"""The run's file of all that was found, by the names of the measures."""


@dataclass(frozen=True)
class TrainedTables:
    """The tables that a job has left, as measures ask them.

    Args:
        work: Of the job, after the training, with its test examples.
        folder: Where the tables lie: the run, or a folder of others that were made of the same examples.
        read: The tables that were asked for, by name.
    """

    work: Work
    folder: str
    read: dict[str, LabelledVectors] = field(default_factory=dict)

    def vectors(self, table: str) -> LabelledVectors:
        """Returns a table as it lies in the folder, so that `python -m trainer vectors` measures the same.

        Raises:
            Refusal: There is no such table.
        """
        if table not in self.read:
            self.read[table] = LabelledVectors.load(self.folder, table)
        return self.read[table]

    def linking(self, table: str) -> Linking:
        """Returns a table with its table of contexts, and the edges of the walks that it is of.

        Raises:
            Refusal: There are no such tables, or the examples are no walks.
        """
        walking = self.work.source.groups
        if not isinstance(walking, Walking):
            raise Refusal(f"Links: the examples of problem {self.work.plan.problem.name} are no walks; give walks=.")
        sets, contexts = walking.sets(), self.vectors(f"{table}_output")
        return Linking(self.vectors(table), contexts, sets.names, sets.edges, walking.how.directed)


def leave_measures(work: Work) -> dict[str, Measured]:
    """Returns what a problem's measures find in the tables of a run, by their names, and writes `measures.json`.

    What cannot be measured is told and left out, and so is the file that an earlier part of the run has left.

    Args:
        work: Of a job whose tables are written.
    """
    run, trained, found = work.plan.run, TrainedTables(work, work.plan.run.path), dict[str, Measured]()
    for measure in work.plan.problem.measures:
        with summary.unstopped(measure.name):
            found[measure.name] = measure.measured(trained)
    if found:
        run.write_json(MEASURES, {name: measured.details for name, measured in found.items()})
    elif paths.exists(run.file(MEASURES)):
        paths.remove_file(run.file(MEASURES))
    return found
