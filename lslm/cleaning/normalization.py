"""The steps that change text, in their order; training and serving call the same."""

from collections.abc import Callable, MutableMapping

from lslm.cleaning import control, html, mojibake, unicode, whitespace
from lslm.settings import CleaningSettings

Step = tuple[str, Callable[[str], str]]


def steps(settings: CleaningSettings) -> tuple[Step, ...]:
    """The names and functions of the steps.

    Mojibake goes first, while its bytes are still as they were misread; entities may bring in
    what the later steps treat, so HTML goes before them; white space tidies up after all.
    """
    found: list[Step] = [("mojibake", mojibake.repair)]
    if settings.html:
        found.append(("html", html.to_text))
    found += [("unicode", unicode.compose), ("control", control.remove)]
    return (*found, ("whitespace", whitespace.collapse))


def normalize(text: str, settings: CleaningSettings) -> str:
    r"""A document as training saw it.

    Example:
        >>> normalize("Good.<br />Cheap &amp; loud ", CleaningSettings())
        'Good.\nCheap & loud'
    """
    for _, step in steps(settings):
        text = step(text)
    return text


def apply(text: str, chain: tuple[Step, ...], changed: MutableMapping[str, int]) -> str:
    """The text after all steps of `chain`, counting by name those that changed it."""
    for name, step in chain:
        after = step(text)
        if after is not text and after != text:
            changed[name] += 1
        text = after
    return text
