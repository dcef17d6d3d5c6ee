"""The three pure steps: COUNT, JUDGE, FLEET."""
