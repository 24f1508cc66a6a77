"""Word2Vec (Mikolov et al. 2013) through gensim: from scratch, or going on from other text."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gensim.models.word2vec as gensim_word2vec
import numpy as np
from gensim.models.callbacks import CallbackAny2Vec

from lslm import progress
from lslm.embeddings.vectors import WordVectors
from lslm.errors import InputError
from lslm.settings import EmbeddingSettings
from lslm.text.store import Rows, Tokens, from_line, in_line

# gensim cuts longer lines without a word.
_LONGEST_LINE = gensim_word2vec.MAX_WORDS_IN_BATCH


def pretrain(
    tokens: Tokens, rows: Rows, settings: EmbeddingSettings, *, workers: int
) -> WordVectors:
    """Learn vectors from the given documents; bit-reproducible with one worker."""
    counts = {tokens.types[i]: int(n) for i, n in enumerate(tokens.counts(rows)) if n}
    model = _model(counts, settings, workers)
    _train(model, tokens, rows, settings.epochs, "Word2Vec")
    return _arrays(model)


def adapt(
    base: WordVectors, tokens: Tokens, rows: Rows, settings: EmbeddingSettings
) -> WordVectors:
    """Go on from `base` with the given documents, whose new words get vectors too.

    One worker, so that the same documents always give the same vectors.
    """
    counts = dict(zip(base.words, base.counts.tolist(), strict=True))
    for i in np.flatnonzero(here := tokens.counts(rows)):
        counts[tokens.types[i]] = counts.get(tokens.types[i], 0) + int(here[i])
    model = _model(counts, settings, workers=1)
    places = [model.wv.key_to_index.get(in_line(word), -1) for word in base.words]
    kept = np.array([i for i, place in enumerate(places) if place >= 0], np.int64)
    target = np.array(places, np.int64)[kept]
    model.wv.vectors[target] = base.vectors[kept]
    model.syn1neg[target] = base.outputs[kept]
    if settings.adapt_epochs:
        _train(model, tokens, rows, settings.adapt_epochs, "Word2Vec, training part")
    return _arrays(model)


def _model(counts: dict[str, int], settings: EmbeddingSettings, workers: int) -> Any:
    if not any(n >= settings.min_count for n in counts.values()):
        raise InputError(
            f"no word is seen {settings.min_count} times",
            where="embedding.min_count",
            right="more text, or a smaller number",
        )
    model = gensim_word2vec.Word2Vec(
        vector_size=settings.size,
        window=settings.window,
        alpha=settings.learning_rate,
        min_count=settings.min_count,
        sample=settings.sample,
        sg=int(settings.algorithm == "skip-gram"),
        negative=settings.negative,
        workers=workers,
        seed=settings.seed,
    )
    # Equal counts are ordered by the word itself, so that vectors do not depend on reading order.
    model.build_vocab_from_freq({in_line(word): n for word, n in sorted(counts.items())})
    return model


def _train(model: Any, tokens: Tokens, rows: Rows, epochs: int, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lslm-word2vec-") as folder:
        corpus = Path(folder) / "corpus.txt"
        _write_lines(corpus, tokens.lines(rows, _LONGEST_LINE))
        n_words = int(sum(len(tokens.document(row)) for row in rows))
        with progress.bar(name, total=epochs, unit="epochs") as shown:
            model.train(
                corpus_file=str(corpus),
                total_words=n_words,
                epochs=epochs,
                callbacks=[_Shown(shown)],
            )


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in lines)


def _arrays(model: Any) -> WordVectors:
    words = list(model.wv.index_to_key)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in words], np.int64)
    return WordVectors([from_line(word) for word in words], counts, model.wv.vectors, model.syn1neg)


class _Shown(CallbackAny2Vec):
    def __init__(self, bar: progress.Bar) -> None:
        self.bar = bar

    def on_epoch_end(self, model: Any) -> None:
        self.bar.advance()
