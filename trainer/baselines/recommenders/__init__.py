"""What is watched most, and EASE: the recommenders that a learned one should beat."""
