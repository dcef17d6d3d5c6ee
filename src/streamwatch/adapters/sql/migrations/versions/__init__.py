"""One file for each revision, applied in their order."""
