"""Formats other than JSON: each record becomes JSON at the edge, before COUNT decodes it."""
