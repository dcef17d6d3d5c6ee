"""The demonstration: the whole story on one machine, with faults injected and found."""
