"""Onboarding: what a sample of records looks like, and the configuration that it suggests."""
