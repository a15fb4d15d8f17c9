"""Random walks on the graph that rows make: edges in arrays of codes, walks in blocks."""

from trainer.inputs.walking.declared import walks_of as walks_of
from trainer.inputs.walking.edges import Edges as Edges
from trainer.inputs.walking.names import Names as Names
from trainer.inputs.walking.walking import Walking as Walking
