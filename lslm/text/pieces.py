"""Words in pieces, so that a small vocabulary writes any word (subwords).

Pieces are learned as byte pair encoding does it (Sennrich, Haddow & Birch 2016): beginning with characters, the
pair that stands side by side most often becomes a piece. A word is then cut from its front, each time into the
longest piece that fits (Wu et al. 2016, section 4.1), which needs no more than the list of pieces.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from lslm.errors import InputError
from lslm.text.tokenizers import Tokenizer
from lslm.text.vocabulary import MARK

INSIDE = "##"
"""Before a piece that does not begin a word. No word is of two such signs: each sign is a token of its own."""

Cutter = Callable[[str], tuple[str, ...]]
_TOGETHER = 10_000
_REMEMBERED = 100_000


def learned(counts: Mapping[str, int], n_pieces: int) -> tuple[str, ...]:
    """At most so many pieces, in alphabetical order, of words with how often each stands.

    Every character of the words is a piece, alone or inside, also where that makes more than `n_pieces`. The same
    words come to the same pieces. Raises InputError without the package tokenizers.
    """
    try:
        from tokenizers import Tokenizer, models, trainers
    except ModuleNotFoundError:
        raise InputError(
            "subwords need the package tokenizers",
            where="head.options.subwords",
            right="an installation with it: pip install 'lslm[subwords]'",
        ) from None
    words = sorted((word, n) for word, n in counts.items() if word != MARK)
    made = Tokenizer(models.WordPiece(unk_token=MARK))
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces,
        continuing_subword_prefix=INSIDE,
        special_tokens=_characters(word for word, _ in words),
        show_progress=False,
    )
    made.train_from_iterator(_often(words), trainer)
    return tuple(sorted(made.get_vocab()))


def cutter(pieces: Iterable[str]) -> Cutter:
    """Cuts words into these pieces; a character that is none of them stands alone.

    Example:
        >>> cutter(["un", "b", "##bear", "##able", "##a"])("unbearables")
        ('un', '##bear', '##able', '##s')
    """
    known = frozenset(pieces)
    longest = max(map(len, known), default=1)

    @lru_cache(maxsize=_REMEMBERED)
    def cut(word: str) -> tuple[str, ...]:
        if word == MARK:
            return (word,)
        found: list[str] = []
        start = 0
        while start < len(word):
            before = INSIDE if start else ""
            ends = range(min(len(word), start + longest), start, -1)
            end = next((end for end in ends if before + word[start:end] in known), start + 1)
            found.append(before + word[start:end])
            start = end
        return tuple(found)

    return cut


def in_pieces(split: Tokenizer, cut: Cutter | None) -> Tokenizer:
    """Tokens of a text in pieces; as they are where nothing cuts them."""
    if cut is None:
        return split
    return lambda text: [piece for word in split(text) for piece in cut(word)]


def _characters(words: Iterable[str]) -> list[str]:
    """Those that begin a word, then those inside one, in order.

    The trainer numbers those that it is not given as it meets them in a hash map, and of pairs that stand as often
    it takes the one with the lower numbers: pieces would differ from one call to the next.
    """
    first, inside = set[str](), set[str]()
    for word in words:
        first.add(word[0])
        inside.update(word[1:])
    return [*sorted(first), *(INSIDE + sign for sign in sorted(inside))]


def _often(words: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    """Each word as often as it stands, in lists that are not too long."""
    for word, n in words:
        for start in range(0, n, _TOGETHER):
            yield [word] * min(_TOGETHER, n - start)
