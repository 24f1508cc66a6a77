"""Invented words, planted where nothing may learn from them, in a small copy of the data.

One word stands in every document of the holdout, one in every validation document of each fold, one
in those of each search. Cleaning, split, tokens, word vectors and parts are then made by the
pipeline's own code. A part may know the words of its own training rows, and must: that shows that a
word that leaked would have been seen.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lslm import heads
from lslm.audit import sample
from lslm.audit.evidence import nested_parts, outer_of, rows_of, search_parts
from lslm.audit.findings import Finding, found, some
from lslm.cleaning import chain
from lslm.corpus import splitting
from lslm.errors import InputError
from lslm.settings import Settings, TextSettings
from lslm.text import store
from lslm.text.sentences import Sentences
from lslm.text.store import Rows, Tokens
from lslm.text.tokenizers import tokenizer
from lslm.training.parts import prepare

_SIDES = {
    "development": "corpus",
    "out-of-scope": "corpus",
    "out-of-scope-holdout": "holdout",
}
"""Where the documents of a part of the split came from."""
_CHECK = "canary"
_FAST = {"size": 16, "epochs": 1, "adapt_epochs": 1, "min_count": 1, "workers": 1}
"""Every word counts, and vectors need not be good."""
_FIRST_SIGN = 0xA500
"""Of the Vai syllables: letters that hardly any corpus has, where characters are tokens."""


_VALIDATION_TARGETS = "validation-targets.json"


@dataclass(frozen=True)
class _Planted:
    """The copy after the holdout's word was planted, cleaned and split."""

    settings: Settings
    parts: Path
    """Folder of the split."""
    frame: pl.DataFrame
    """The development set, without words of its own yet."""


def check(settings: Settings, base: Path, most: int) -> list[Finding]:
    """Plant, make everything that is fitted, and look for the words; `most` documents a part."""
    needs_label = heads.get(settings.head.kind).needs_label
    raw = sample.drawn(settings, base, most, needs_label=needs_label)
    folds = (f"fold {i + 1}" for i in range(settings.evaluation.folds))
    names = ("holdout", *search_parts(settings.search), *folds, *nested_parts(settings))
    words = dict(zip(names, _invented(settings.text, raw["text"], len(names)), strict=True))
    with tempfile.TemporaryDirectory(prefix="lslm-canary-") as folder:
        return list(_looked_for(settings, raw, words, Path(folder), needs_label))


def _looked_for(
    settings: Settings, raw: pl.DataFrame, words: dict[str, str], folder: Path, needs_label: bool
) -> Iterator[Finding]:
    plain = _split(sample.written(raw, settings, folder / "plain"), folder / "plain", needs_label)
    planted, n_planted = _with_holdout_word(plain, raw, words["holdout"])
    planted_settings = sample.written(planted, settings, folder / "planted")
    spoiled = _split(planted_settings, folder / "planted", needs_label)
    yield _cleaning(plain, spoiled)
    yield _reached(spoiled, words["holdout"], n_planted)
    rows = rows_of(spoiled.settings, spoiled.frame)
    parts = _fitted(spoiled, words, rows, folder)
    forbidden = {name: [words["holdout"], *_held_back(words, name)] for name in parts}
    for name, part in parts.items():
        faults = list(_faults(part, forbidden[name], words, _own(words, name)))
        yield found(_CHECK, name, len(forbidden[name]), faults)
    yield _control(parts, words, rows)


def _own(words: dict[str, str], name: str) -> list[str]:
    return [words[name]] if name in words else []


def _held_back(words: dict[str, str], name: str) -> list[str]:
    """Words of the documents that a part holds back, and of those that the fold around it does."""
    return [words[each] for each in (name, outer_of(name)) if each in words]


# Making the copy.


def _split(settings: Settings, folder: Path, needs_label: bool) -> _Planted:
    """Clean and split the documents in a folder."""
    chain.clean(settings, folder, folder / "cleaned", needs_label=needs_label)
    try:
        splitting.split(
            folder / "cleaned",
            settings,
            folder / "parts",
            needs_label=needs_label,
            blocked=heads.get(settings.head.kind).blocked,
        )
    except InputError as error:
        what = f"the sample is too small for the canary: {error.what}"
        raise InputError(what, where="--sample", right="more documents") from None
    frame = pl.read_parquet(folder / "parts" / "development.parquet")
    return _Planted(settings, folder / "parts", frame)


def _with_holdout_word(plain: _Planted, raw: pl.DataFrame, word: str) -> tuple[pl.DataFrame, int]:
    """The raw documents that were kept, those of the holdout with the word, as a given holdout.

    Documents are dealt out by their text; a holdout that is given keeps the sides as they were.
    """
    sides = [_kept(plain.parts / f"{name}.parquet", raw, name) for name in splitting.PARTS]
    development, holdout, outside, aside, aside_holdout = sides
    spoiled = holdout.with_columns(pl.col("text") + f" {word}")
    spoiled_aside = aside_holdout.with_columns(pl.col("text") + f" {word}")
    whole = pl.concat([development, aside, spoiled, spoiled_aside, outside])
    return whole, spoiled.height


def _kept(path: Path, raw: pl.DataFrame, side: str) -> pl.DataFrame:
    """Raw documents of one side of a split."""
    if not path.exists():
        return raw.head(0)
    kept = pl.read_parquet(path, columns=["source", "row"])
    numbered = raw.with_columns(
        (pl.col("part") + ".parquet").alias("source"),
        pl.int_range(1, pl.len() + 1).over("part").alias("row"),
    )
    part = _SIDES.get(side, side)
    found_again = numbered.join(kept, on=["source", "row"], how="semi", maintain_order="left")
    return found_again.select(pl.exclude("source", "row")).with_columns(pl.lit(part).alias("part"))


def _invented(settings: TextSettings, texts: pl.Series, n: int) -> list[str]:
    """Words of one token each that no text has."""
    split = tokenizer(settings)
    candidates = [f"zqxv{a}{b}qj" for a in "bcdfghkmpt" for b in "bcdfghkmpt"]
    candidates += [chr(_FIRST_SIGN + i) for i in range(200)]
    lowered = texts.str.to_lowercase()
    free = [
        word
        for word in candidates
        if split(word) == [word] and not lowered.str.contains(word, literal=True).any()
    ]
    if len(free) < n:
        raise InputError(f"the tokenizer keeps none of the {len(candidates)} invented words whole")
    return free[:n]


# Fitting on it.


def _fitted(
    spoiled: _Planted, words: dict[str, str], rows: dict[str, tuple[Rows, Rows]], folder: Path
) -> dict[str, Path]:
    """Every part, made by the pipeline's own code with few and quick settings."""
    settings = spoiled.settings
    embedding = settings.embedding.model_copy(update=_FAST)
    documents, tokens = folder / "documents.parquet", folder / "tokens"
    _with_fold_words(spoiled.frame, words, rows).write_parquet(documents)
    store.write(documents, settings.text, tokens, _sentences(settings))
    outside = _outside(spoiled, folder)
    return {
        name: prepare(
            documents=documents,
            tokens=tokens,
            rows=each,
            outside=outside,
            embedding=embedding,
            head=settings.head,
            into=folder / "fitted" / name,
        )
        for name, each in rows.items()
    }


def _sentences(settings: Settings) -> Sentences | None:
    return heads.get(settings.head.kind).batching.sentences(heads.options(settings.head))


def _with_fold_words(
    frame: pl.DataFrame, words: dict[str, str], rows: dict[str, tuple[Rows, Rows]]
) -> pl.DataFrame:
    """Each part's word in its validation documents; folds were dealt before, and stay."""
    texts = frame["text"].to_list()
    for name, (_, validation) in rows.items():
        for row in validation:
            texts[row] = f"{texts[row]} {words[name]}"
    return frame.with_columns(pl.Series("text", texts))


def _outside(spoiled: _Planted, folder: Path) -> Path | None:
    """Vectors of the outside text, where the pipeline would learn some."""
    path, embedding = spoiled.parts / "outside.parquet", spoiled.settings.embedding
    if embedding.method == "none" or not path.exists() or not pl.read_parquet(path).height:
        return None
    from lslm.embeddings import word2vec

    store.write(path, spoiled.settings.text, folder / "outside", _sentences(spoiled.settings))
    tokens = Tokens(folder / "outside")
    fast = embedding.model_copy(update=_FAST)
    vectors = word2vec.pretrain(tokens, np.arange(len(tokens)), fast, workers=1)
    vectors.save(folder / "vectors")
    return folder / "vectors"


# Looking.


def _cleaning(plain: _Planted, spoiled: _Planted) -> Finding:
    """What cleaning makes of the development set does not depend on the holdout's words."""
    before, after = plain.frame["text"].to_list(), spoiled.frame["text"].to_list()
    n = sum(text not in set(before) for text in set(after)) + abs(len(before) - len(after))
    faults = [f"{n:,} development documents changed with the holdout's words"] if n else []
    return found(_CHECK, "cleaning", len(before), faults)


def _reached(spoiled: _Planted, word: str, n_planted: int) -> Finding:
    """The word is in the cleaned holdout, or the rest would show nothing."""
    held = pl.read_parquet(spoiled.parts / "holdout.parquet")["text"]
    n = int(held.str.contains(word, literal=True).sum())
    detail = f"planted in {n_planted:,} documents of the holdout, in {n:,} after cleaning"
    return Finding(_CHECK, "holdout", n_planted, "ok" if n else "unproven", detail)


def _faults(
    part: Path, forbidden: Sequence[str], words: dict[str, str], own: Sequence[str]
) -> Iterator[str]:
    """The words in any text file of the part: vocabulary, targets, report.

    The part's own word belongs to its validation documents, and so to their targets.
    """
    where = {word: name for name, word in words.items()}
    for path in sorted(part.glob("*.json")):
        text = path.read_text("utf-8")
        allowed = own if path.name == _VALIDATION_TARGETS else ()
        there = [word for word in forbidden if word in text and word not in allowed]
        if there:
            yield f"the word planted in the {where[there[0]]} part is in {path.name}"


def _control(
    parts: dict[str, Path], words: dict[str, str], rows: dict[str, tuple[Rows, Rows]]
) -> Finding:
    """Words planted in training rows are in the vocabulary."""
    expected = [
        (name, words[planted])
        for name in parts
        for planted, (_, validation) in rows.items()
        if len(np.intersect1d(rows[name][0], validation))
    ]
    missing = [
        name
        for name, word in expected
        if word not in (parts[name] / "vocabulary.json").read_text("utf-8")
    ]
    detail = f"planted in training rows, not seen in: {some(missing)}" if missing else ""
    result = "unproven" if missing else "ok"
    return Finding(_CHECK, "words of training rows are seen", len(expected), result, detail)
