"""From scores of sentences to a summary."""

from collections.abc import Sequence

from lslm.heads.contract import Array
from lslm.heads.summarize.options import Length
from lslm.heads.summarize.rouge import tokens


def choose(
    sentences: Sequence[str], scores: Sequence[float] | Array, length: Length, language: str
) -> list[int]:
    """Places of the sentences of the summary, in the order of the text; empty without sentences.

    The best first, as long as it fits and does not repeat what was chosen (as Carbonell & Goldstein
    1998 trade relevance against redundancy, with a limit in place of a weight).
    """
    counts = [len(sentence.split()) for sentence in sentences]
    budget = words_allowed(counts, length)
    most = length.n_sentences or len(sentences)
    chosen: list[int] = []
    known: set[str] = set()
    n_words = 0
    first = int(length.title and len(sentences) > 1)
    order = sorted(range(first, len(sentences)), key=lambda i: (-float(scores[i]), i))
    if budget is not None:
        # One sentence in any case: where all are too long, the best.
        order = [place for place in order if counts[place] <= budget] or order[:1]
    for place in order:
        if len(chosen) >= most:
            break
        own = set(tokens(sentences[place], language))
        too_long = budget is not None and n_words + counts[place] > budget
        repeats = own and len(own & known) / len(own) > length.max_overlap
        if chosen and (too_long or repeats):
            continue
        chosen.append(place)
        known |= own
        n_words += counts[place]
    return sorted(chosen)


def joined(sentences: Sequence[str], places: Sequence[int]) -> str:
    """The chosen sentences as one text."""
    return " ".join(sentences[place] for place in places)


def words_allowed(counts: Sequence[int], length: Length) -> int | None:
    """Words of a summary, at most, by those of each sentence; None without a limit."""
    limits = [length.words] if length.words else []
    if length.ratio:
        limits.append(max(1, round(length.ratio * sum(counts))))
    return min(limits, default=None)
