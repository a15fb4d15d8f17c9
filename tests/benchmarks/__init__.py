"""Programs that measure and print; they assert nothing."""
