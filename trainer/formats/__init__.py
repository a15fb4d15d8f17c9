"""Formats that tables and labels are kept in: one format a file, each with what writes it and what reads it."""
