"""Tap points: what they are, which records they take, what they show of them."""
