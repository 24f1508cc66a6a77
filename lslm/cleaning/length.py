"""A document must be long enough to mean something and short enough to be one document."""

from lslm.settings import CleaningSettings


def fault(text: str, settings: CleaningSettings) -> str | None:
    """Why a cleaned text is rejected, or None.

    Example:
        >>> fault("ab", CleaningSettings(min_characters=3))
        'shorter than 3 characters'
    """
    if not text:
        return "nothing left of the text"
    if len(text) < settings.min_characters:
        return f"shorter than {settings.min_characters} characters"
    if len(text) > settings.max_characters:
        return f"longer than {settings.max_characters} characters"
    return None
