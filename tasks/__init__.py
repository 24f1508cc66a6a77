"""Thin Prefect tasks, one a stage: caching, progress, reading and writing; the library does the work."""
