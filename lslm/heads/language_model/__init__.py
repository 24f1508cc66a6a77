"""Language models: the next token from all before it, in each document anew."""

from lslm.heads.language_model.head import HEAD

__all__ = ["HEAD"]
