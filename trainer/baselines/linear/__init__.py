"""The mean and a ridge regression of a problem's own columns, the models to beat of a head for numbers."""
