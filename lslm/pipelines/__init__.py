"""The pipelines that ship, and how a pipeline file becomes settings."""
