"""Turn a person's own text into a recurrent model they can trust in production."""

__version__ = "0.1.0"
