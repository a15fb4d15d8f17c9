"""What is measured of tables once the training has ended."""
