"""A training part made ready: everything that learns from data is fitted here, on its rows alone.

A part is a folder of arrays that all trials on it share through memory maps:

    vocabulary.json                 words the networks know
    vectors.npy                     their vectors, (n_words, size); absent without pretraining
    recurrent.npz                   what the first recurrent layer begins with; absent without a language model
    targets.json                    what the head fitted, such as the label set
    training.i32, training.i64      ids of the training documents, and where each begins
    training-targets.npy or .json   their targets
    validation...                   the same for the rows held back, if any
    report.json                     counts, coverage, and digests of the rows that were fitted on
    fitted.json ...                 what each of these read: see `lslm.training.fitted`
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lslm import heads
from lslm.embeddings.reduction import reduced
from lslm.embeddings.vectors import Floats, WordVectors, of_unit_size
from lslm.errors import InputError
from lslm.heads import ragged
from lslm.heads.contract import Array, Targets
from lslm.pretraining import weights
from lslm.pretraining.recipe import SETTLED, Recipe, Shape
from lslm.settings import EmbeddingSettings, EncoderSettings, HeadSettings
from lslm.text.store import InPieces, Rows, Tokens
from lslm.text.vocabulary import MARK, SPECIAL, Ids, Vocabulary, cut
from lslm.training import fitted
from lslm.training.epochs import Epoch
from lslm.training.fitted import Ledger, Watched

_WHOLE = EncoderSettings()


@dataclass(frozen=True)
class Examples:
    """Documents as ids, with their targets."""

    flat: Ids
    offsets: Rows
    targets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, row: int, longest: int) -> Ids:
        """Ids of one document, `(time,)`, cut to `longest`."""
        return cut(self.flat[self.offsets[row] : self.offsets[row + 1]], longest)

    def lengths(self, longest: int) -> Rows:
        """Tokens of each document after cutting, `(n,)`."""
        return np.minimum(np.diff(self.offsets), longest)


class Part:
    """An opened part, with the words and vectors that an encoder has by its settings."""

    def __init__(self, folder: Path, encoder: EncoderSettings = _WHOLE) -> None:
        self.folder, self._encoder = folder, encoder
        self._all = Vocabulary.load(folder / "vocabulary.json")
        self.vocabulary = self._all.first(encoder.max_words)
        self.targets: dict[str, Any] = json.loads((folder / "targets.json").read_text("utf-8"))
        self.report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))

    @cached_property
    def vectors(self) -> Floats | None:
        """Pretrained vectors of the words, `(n_words, units)`, zero for the special ones; None without any."""
        path = self.folder / "vectors.npy"
        if not path.exists():
            return None
        vectors: Floats = np.load(path, mmap_mode="r")
        if self.vocabulary is not self._all:
            vectors = vectors[self._all.encode(self.vocabulary.words)]
        return reduced(vectors, self.units) if self.units < vectors.shape[1] else vectors

    @cached_property
    def recurrent(self) -> list[Floats] | None:
        """What the first recurrent layer begins with, in its order; None without a language model."""
        return weights.load_part(self.folder)

    def check_shape(self, encoder: EncoderSettings) -> None:
        """Refuse an encoder whose first recurrent layer is not the one that was pretrained: InputError."""
        if self.recurrent is None:
            return
        pretrained = Shape.model_validate(self.report["language_model"]["shape"])
        if Shape.of(encoder) != pretrained or encoder.vector_units:
            raise InputError(
                f"the first recurrent layer is {Shape.of(encoder)}, the pretrained one is {pretrained}",
                where="encoder",
                right=f"{', '.join(SETTLED)} as they were pretrained",
            )

    @property
    def units(self) -> int:
        """Of a word's vector."""
        size: int = self.report["size"]
        wanted = self._encoder.vector_units or size
        return min(wanted, size) if (self.folder / "vectors.npy").exists() else wanted

    @property
    def training(self) -> Examples:
        """The rows that everything was fitted on."""
        return self._examples("training")

    def counts(self) -> Rows:
        """How often each word stands in the training rows, `(n_words,)`; a document ends with a mark more."""
        training, mark = self.training, self.vocabulary.mark
        found = np.bincount(training.flat, minlength=len(self.vocabulary))
        if mark >= 0:
            found[mark] += len(training)
        return found

    @property
    def validation(self) -> Examples:
        """The rows held back; empty in the part of the final model."""
        return self._examples("validation")

    def _examples(self, name: str) -> Examples:
        ids = np.fromfile(self.folder / f"{name}.i32", np.int32)
        if self.vocabulary is not self._all:
            ids = self.vocabulary.encode(self._all.words)[ids]
        return Examples(
            ids,
            np.fromfile(self.folder / f"{name}.i64", np.int64),
            ragged.load(self.folder / f"{name}-targets"),
        )


def prepare(
    documents: Path,
    tokens: Path,
    rows: tuple[Rows, Rows],
    outside: Path | None,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    into: Path,
    language: Recipe | None = None,
    checkpoint: Path | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> Path:
    """Fit vocabulary, vectors and targets on the training rows and write the part at `into`.

    `documents` and `tokens` are the development set, `rows` those for training and those held back; `outside`
    holds vectors of unlabelled text from outside the corpus, to go on from. With `language`, language models of
    the training rows are fitted as well; they keep their state at `checkpoint` and tell of their epochs, as a fit
    does. What is at `into` is written over.
    """
    training, validation = rows
    into.mkdir(parents=True, exist_ok=True)
    watched, ledger = Watched(tokens), Ledger()
    frame = pl.read_parquet(documents)
    fingerprints = frame["fingerprint"].to_numpy()
    kind, given = heads.get(head.kind), frame[training]
    targets = kind.fit_targets(given, heads.options(head))
    ledger.note("targets", given["fingerprint"].to_numpy())
    store = as_read(watched, head, targets)
    learned = _vectors(store, training, outside, embedding)
    if learned is not None:
        ledger.note("vectors", fingerprints[watched.taken()])
    sentences = kind.batching.sentences(heads.options(head))
    needed = (*((MARK,) if sentences else ()), *kind.known(targets))
    n_ends = len(training) if kind.batching.in_streams else 0
    vocabulary, vectors = _vocabulary(store, training, learned, embedding, needed, n_ends, into)
    ledger.note("vocabulary", fingerprints[watched.taken()])
    vocabulary.save(into / "vocabulary.json")
    if vectors is not None:
        np.save(into / "vectors.npy", vectors)
    read: dict[str, Any] = {}
    if language is not None and vectors is not None:
        # Keras is loaded where a language model is wanted.
        from lslm.pretraining import learning

        readers, losses = learning.of_part(
            store, training, vocabulary, vectors, language, checkpoint, on_event
        )
        weights.save_part(into, readers)
        read = {"language_model": {"shape": language.shape.model_dump(), "losses": losses}}
        ledger.note("language model", fingerprints[watched.taken()])
    ledger.save(into)
    (into / "targets.json").write_text(json.dumps(targets, ensure_ascii=False), encoding="utf-8")
    for name, part in (("training", training), ("validation", validation)):
        _write_examples(store, vocabulary, part, into / name)
        ragged.save(into / f"{name}-targets", kind.encode_targets(frame[part], targets))
    report = {
        "training": _seen(frame, training),
        "validation": _seen(frame, validation),
        "vocabulary": len(vocabulary),
        "size": embedding.size,
        "coverage": {
            "training": _coverage(store, vocabulary, training),
            "validation": _coverage(store, vocabulary, validation),
        },
        "neighbours": learned.glance() if learned else {},
        "plane": learned.plane() if learned else {},
        **read,
    }
    (into / "report.json").write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
    return into


def as_read(store: Tokens, head: HeadSettings, targets: Targets) -> Tokens:
    """The stored words as networks read them: whole, or in the pieces that were fitted."""
    cut = heads.get(head.kind).cutting(targets)
    return InPieces(store, cut) if cut else store


def _vectors(
    store: Tokens, rows: Rows, outside: Path | None, settings: EmbeddingSettings
) -> WordVectors | None:
    if settings.method == "none":
        return None
    from lslm.embeddings import word2vec

    if outside is None:
        return word2vec.pretrain(store, rows, settings, workers=1)
    return word2vec.adapt(WordVectors.load(outside), store, rows, settings)


def _vocabulary(
    store: Tokens,
    rows: Rows,
    learned: WordVectors | None,
    settings: EmbeddingSettings,
    needed: tuple[str, ...],
    n_ends: int,
    into: Path,
) -> tuple[Vocabulary, Floats | None]:
    """Words of the training part by falling frequency, then the most frequent outside words.

    Those `needed` are among them in any case. The mark is as frequent as it is in the text and, besides, at
    `n_ends` ends of documents. Where there are such ends words are predicted: they are then the same ones whether
    they have vectors or not, so that costs compare. The counts of the text are written into the part's folder.
    """
    counts = store.counts(rows)
    own = {store.types[i]: int(counts[i]) for i in np.flatnonzero(counts)}
    told = own | {MARK: own.get(MARK, 0) + n_ends} if n_ends else own
    ranked = dict(sorted(told.items(), key=lambda each: -each[1]))
    place = {word: i for i, word in enumerate(learned.words)} if learned else {}
    if learned is None or n_ends:
        words = [word for word, n in ranked.items() if n >= settings.min_count]
    else:
        words = [word for word in ranked if word in place]
        there = set(words)
        others = (word for word in learned.words if word not in there)
        words += [word for word, _ in zip(others, range(settings.outside_words), strict=False)]
    words = list(dict.fromkeys([*words, *needed]))
    _write_counts(into / fitted.COUNTS, words, own)
    if learned is None:
        return Vocabulary((*SPECIAL, *words)), None
    learned_with = dict(zip(learned.words, learned.counts.tolist(), strict=True))
    _write_counts(into / fitted.VECTOR_COUNTS, words, learned_with)
    vectors = np.zeros((len(SPECIAL) + len(words), learned.vectors.shape[1]), np.float32)
    # A mean is nothing to begin a word with that is predicted: such a word stays as it is drawn.
    given = [word for word in words if word in place] if n_ends else words
    vocabulary = Vocabulary((*SPECIAL, *words))
    vectors[vocabulary.encode(given)] = of_unit_size(_rows_of(learned, place, given))
    return vocabulary, vectors


def _rows_of(learned: WordVectors, place: dict[str, int], words: list[str]) -> Floats:
    """The words' vectors; a needed one that has none gets the mean."""
    rows = [place.get(word, -1) for word in words]
    vectors = learned.vectors[rows]
    vectors[[row < 0 for row in rows]] = learned.vectors.mean(axis=0)
    return vectors


def _write_counts(path: Path, words: list[str], counts: dict[str, int]) -> None:
    """A count a word of the vocabulary, in its order; the special ones have none."""
    np.save(path, np.array([0] * len(SPECIAL) + [counts.get(word, 0) for word in words], np.int64))


def _write_examples(store: Tokens, vocabulary: Vocabulary, rows: Rows, path: Path) -> None:
    ids = vocabulary.encode(store.types)
    lengths = [len(store.document(row)) for row in rows]
    with path.with_suffix(".i32").open("wb") as out:
        for row in rows:
            ids[store.document(row)].tofile(out)
    np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64).tofile(
        path.with_suffix(".i64")
    )


def _seen(frame: pl.DataFrame, rows: Rows) -> dict[str, Any]:
    """How many documents, and a digest of which: what an audit compares."""
    return {"n": len(rows), "digest": fitted.digest(frame["fingerprint"].to_numpy()[rows])}


def _coverage(store: Tokens, vocabulary: Vocabulary, rows: Rows) -> float | None:
    """Share of the tokens that are in the vocabulary."""
    if not len(rows):
        return None
    counts = store.counts(rows)
    known = np.fromiter((t in vocabulary for t in store.types), bool, len(store.types))
    return float(counts[known].sum() / max(counts.sum(), 1))
