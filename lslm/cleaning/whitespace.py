"""One space between words, one line break between lines, nothing at the ends."""


def collapse(text: str) -> str:
    r"""The text with runs of white space made one; lines stay, blank ones go.

    Example:
        >>> collapse("  a\t b \r\n\n c ")
        'a b\nc'
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
