"""Extractive summaries: a probability a sentence, and the best of them in the order of the text."""

from lslm.heads.summarize.head import HEAD

__all__ = ["HEAD"]
