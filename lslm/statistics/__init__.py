"""Intervals and tests, on plain arrays. Knows nothing of heads, networks or files."""
