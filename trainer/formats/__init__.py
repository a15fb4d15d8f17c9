"""Formats that tables, labels and vectors are kept in: one format a file, with what writes it and what reads it."""
