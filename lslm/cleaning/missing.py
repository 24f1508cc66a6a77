"""A document must say something."""


def fault(text: str | None) -> str | None:
    """Why a raw text is rejected, or None.

    Example:
        >>> fault(" "), fault("x")
        ('no text', None)
    """
    return None if text is not None and not text.isspace() and text else "no text"
