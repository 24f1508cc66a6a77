"""What a check says, and how it is run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lslm.errors import InputError


@dataclass(frozen=True)
class Check:
    """The answer to one question."""

    name: str
    ok: bool
    found: str
    """What is there."""
    mend: str = ""
    """What to do about it, where it is not as it should be."""


Question = Callable[[], Iterable[Check]]


def answered(name: str, question: Question) -> Iterator[Check]:
    """The checks of one question; one that cannot even be asked is a failed check."""
    try:
        yield from question()
    except InputError as error:
        where = f"{error.where}: " if error.where else ""
        yield Check(name, ok=False, found=f"{where}{error.what}", mend=error.right)
    except Exception as error:  # whatever is broken here is what the user wants to know
        first = (str(error).strip().splitlines() or [""])[0]
        yield Check(name, ok=False, found=f"{type(error).__name__}: {first}", mend="see `found`")
