"""A catalogue of a million movies: what a retrieval learns of it in some minutes, and what a step takes."""
