"""Do the counts behind vocabularies and word vectors come from the training rows alone?"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lslm import heads
from lslm.audit.evidence import Case, FittedPart
from lslm.audit.findings import Finding, found, some
from lslm.embeddings.vectors import WordVectors
from lslm.text.vocabulary import MARK, SPECIAL
from lslm.training.fitted import COUNTS, VECTOR_COUNTS
from lslm.training.parts import Part, as_read

Counts = dict[str, int]


def check(case: Case) -> Iterator[Finding]:
    """Every text is tokenized and counted again; the counts that were stored must be these."""
    yield _stored_tokens(case)
    outside, finding = _outside(case)
    yield finding
    for part in case.evidence.parts:
        try:
            yield from _part(case, part, outside)
        except (OSError, ValueError) as error:
            yield Finding("word counts", part.name, 0, "unproven", f"not readable: {error}")


def _stored_tokens(case: Case) -> Finding:
    split, store = heads.words(case.settings.text, case.settings.head), case.tokens
    other = [
        str(row)
        for row, text in enumerate(case.development["text"])
        if row >= len(store) or split(text) != [store.types[i] for i in store.document(row)]
    ]
    faults = [f"rows with tokens of another text: {some(other)}"] if other else []
    if len(store) > case.development.height:
        faults.append(f"{len(store) - case.development.height:,} documents too many")
    return found("tokens", "development, tokenized again", len(store), faults)


def _outside(case: Case) -> tuple[Counts, Finding]:
    """What the outside vectors counted, and whether the outside text says the same."""
    check, looked_at = "word counts", "outside vectors"
    if case.evidence.vectors is None:
        return {}, Finding(check, looked_at, 0, "note", "none were learned")
    learned = WordVectors.load(case.evidence.vectors)
    stored = dict(zip(learned.words, learned.counts.tolist(), strict=True))
    split = heads.words(case.settings.text, case.settings.head)
    counted: Counts = {}
    for text in case.outside["text"]:
        for token in split(text):
            counted[token] = counted.get(token, 0) + 1
    wrong = [word for word, n in stored.items() if counted.get(word) != n]
    faults = [f"counts differ from the outside text for: {some(wrong)}"] if wrong else []
    return stored, found(check, looked_at, len(stored), faults)


def _part(case: Case, part: FittedPart, outside: Counts) -> Iterator[Finding]:
    opened = Part(part.folder)
    words = opened.vocabulary.words[len(SPECIAL) :]
    tokens = as_read(case.tokens, case.settings.head, opened.targets)
    trained = tokens.counts(part.training)
    counted = {tokens.types[i]: int(trained[i]) for i in np.flatnonzero(trained)}
    known = heads.get(case.settings.head.kind).known(opened.targets)
    faults = list(_strangers(case, words, {**dict.fromkeys(known, 0), **counted}, outside))
    yield found("words", part.name, len(words), faults)
    stored = np.load(part.folder / COUNTS, allow_pickle=False)
    expected = [counted.get(word, 0) for word in words]
    faults = list(_differing(words, stored, expected))
    yield found("word counts", f"{part.name}: vocabulary", len(words), faults)
    if case.settings.embedding.method != "none":
        stored = np.load(part.folder / VECTOR_COUNTS, allow_pickle=False)
        # The mark is known however rare it is, and then has no vector.
        both = (counted.get(word, 0) + outside.get(word, 0) for word in words)
        expected = [n if n >= case.settings.embedding.min_count else 0 for n in both]
        faults = list(_differing(words, stored, expected))
        yield found("word counts", f"{part.name}: vectors", len(words), faults)
        yield found("scaling", f"{part.name}: vectors", len(words), list(_scaling(part)))


def _strangers(
    case: Case, words: tuple[str, ...], counted: Counts, outside: Counts
) -> Iterator[str]:
    """Words that neither the training rows nor the outside text have, and words left out.

    Where words are predicted, those of the training rows are known alone.
    """
    if heads.get(case.settings.head.kind).batching.in_streams:
        outside = {}
    # No text makes the mark: heads that tell lines apart have it in any case.
    there = {MARK, *counted, *outside}
    strange = [word for word in words if word not in there]
    if strange:
        yield f"words that no training row has: {some(strange)}"
    least, known = case.settings.embedding.min_count, set(words)
    missing = [
        word
        for word, n in counted.items()
        if n + outside.get(word, 0) >= least and word not in known
    ]
    if missing:
        yield f"words of the training rows that are missing: {some(missing)}"


def _differing(
    words: tuple[str, ...], stored: NDArray[np.int64], expected: list[int]
) -> Iterator[str]:
    if len(stored) != len(words) + len(SPECIAL):
        yield f"{len(stored):,} counts for {len(words) + len(SPECIAL):,} words"
        return
    rows = np.flatnonzero(stored[len(SPECIAL) :] != np.array(expected, np.int64))
    if len(rows):
        first = rows[0]
        yield (
            f"{len(rows):,} words are counted more or less often than in the training rows, such "
            f"as {words[first]!r}: {stored[first + len(SPECIAL)]} stored, {expected[first]} there"
        )


def _scaling(part: FittedPart) -> Iterator[str]:
    """Centre and unit of the vectors are their own, not those of other words; a word without one has zeros."""
    vectors = np.load(part.folder / "vectors.npy", mmap_mode="r")[len(SPECIAL) :]
    vectors = vectors[vectors.any(axis=1)]
    centre, unit = np.abs(vectors.mean(axis=0, dtype=np.float64)).max(), float(vectors.std())
    if centre > 1e-3 or abs(unit - 1) > 1e-3:
        yield f"vectors are scaled by other words than theirs: centre {centre:.3g}, unit {unit:.3g}"
