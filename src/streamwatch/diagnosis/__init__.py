"""Where a shift entered, what it looks like, and how to show it: pure functions over sums."""
