"""Cells of tables as text, without changing what they say."""

import math
from datetime import date, datetime


def as_text(value: object) -> str | None:
    """A scalar as text; None for null, NaN and blank. Text keeps its form, so `01` and `1` differ.

    Raises TypeError for lists and objects.

    Example:
        >>> [as_text(v) for v in (" 01 ", 1, 1.0, 2.5, True, float("nan"), "")]
        ['01', '1', '1', '2.5', 'true', None, None]
    """
    if isinstance(value, str):
        return value.strip() or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip() or None
    if isinstance(value, list | dict | tuple):
        raise TypeError(
            "an object, not a value" if isinstance(value, dict) else "a list, not a value"
        )
    return str(value)


def document_text(value: object) -> str | None:
    """A document's cell as text: a list of strings is taken as its sentences, one a line.

    Raises TypeError for what is no text.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return as_text(value)
