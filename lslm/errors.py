"""The one error that is the user's to mend; everything else is a bug or the machine's."""


class InputError(Exception):
    """Bad input: says what was wrong, where, and what would be right. Commands end with status 2.

    Example:
        >>> str(InputError("no column 'txt'", where="reviews.csv", right="one of: text, label"))
        "reviews.csv: no column 'txt'; expected one of: text, label"
    """

    def __init__(self, what: str, *, where: str = "", right: str = "") -> None:
        prefix = f"{where}: " if where else ""
        suffix = f"; expected {right}" if right else ""
        super().__init__(f"{prefix}{what}{suffix}")
        self.what, self.where, self.right = what, where, right

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the three parts when the error crosses a process boundary."""
        return (_rebuild, (self.what, self.where, self.right))


def _rebuild(what: str, where: str, right: str) -> InputError:
    return InputError(what, where=where, right=right)
