"""A problem with its crosses written in simpler ways, trained on parts of its data."""
