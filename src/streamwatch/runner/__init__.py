"""The one runner that carries the three steps over ports."""
