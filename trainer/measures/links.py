"""Link prediction: whether vectors of walks tell the edges that no walk took."""

from dataclasses import dataclass
from typing import final

from trainer.measures.measure import Measure, Measured, Trained

SETS = ("test", "validation")


@final
@dataclass(frozen=True)
class Links(Measure):
    """How well the two tables of a skip-gram of walks tell the test edges from other pairs of nodes.

    Of each edge that a problem's `Walks` hold out, both ends are asked for among all nodes, as `vectors.Linking` says:
    `mrr` is the mean of 1 / place and `hits@10` the share of places up to the tenth, other true ends left out (they are
    "filtered"). Of a plain graph, `auc` is how often an edge scores higher than a pair of nodes without one. They are
    of the edges all of whose words have a vector; `links_coverage` is the share of those. The same of the validation
    edges, by which one may choose, are called `validation_mrr` and so on.

    Args:
        table: The table of centres; that of contexts is `TABLE_output`.
        name: What it is called in what is printed and in measures.json.
        seed: Of the pairs of nodes without an edge.
    """

    table: str = "node"
    name: str = "links"
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that it adds to metrics.json, `auc` of plain graphs alone."""
        found = ("mrr", "hits@10", "auc", "links_coverage")
        return (*found, *(f"validation_{name}" for name in found))

    def measured(self, trained: Trained) -> Measured:
        """Returns how well the tables tell held-out edges from other pairs."""
        linking = trained.linking(self.table)
        found = {split: linking.metrics(split, self.seed) for split in SETS if split in linking.edges}
        sections = [{"section": split, "edges": len(linking.edges[split]), **told} for split, told in found.items()]
        flat = {f"validation_{name}": value for name, value in found.get("validation", {}).items()}
        test = found["test"]
        told = [f"{name} {test[name]:.4f}" for name in ("mrr", "hits@10", "auc") if name in test]
        line = ", ".join([*told, f"{len(linking.edges['test']):,} edges (coverage {test['links_coverage']:.2f})"])
        return Measured({**test, **flat}, line, {"table": self.table, **test, "sections": sections})
