"""What is measured of tables once the training has ended: one kind a file."""

from trainer.measures.analogies import Analogies
from trainer.measures.links import Links
from trainer.measures.measure import Measure, Measured, Trained, check
from trainer.measures.similarities import Similarities

__all__ = ["Analogies", "Links", "Measure", "Measured", "Similarities", "Trained", "check"]
