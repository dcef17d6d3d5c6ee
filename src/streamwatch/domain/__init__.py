"""Plain values that everything else is built from; this package imports nothing of the project."""
