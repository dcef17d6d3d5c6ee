"""A fleet of simulated shops with faults whose truth is known."""
