"""Files: JSON lines, CSV and Parquet in, as records."""
