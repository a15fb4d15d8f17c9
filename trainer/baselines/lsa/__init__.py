"""Latent semantic analysis of sequences, which counts in windows and factors: the model that skip-gram should beat."""
