"""One problem a file."""
