"""Reading and checking ``streamwatch.yaml`` and the tap files."""
