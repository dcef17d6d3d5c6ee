"""What the settings would have said of the past: the truth, the record, the scorecard."""
