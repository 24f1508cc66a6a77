"""Asking a model again with words left out, or others in their place."""

from collections.abc import Sequence
from itertools import permutations

import polars as pl

from lslm.evaluation.explaining import Explained
from lslm.evaluation.swapping import Swapped, swap
from lslm.serving.predictor import Predictor


def explain(predictor: Predictor, documents: pl.DataFrame, n: int, seed: int) -> list[Explained]:
    """Leave out each word of up to `n` documents, drawn at random, and ask again."""
    drawn = documents.sample(min(n, documents.height), seed=seed, shuffle=True)
    texts: list[str] = drawn["text"].to_list()
    classes = predictor.class_column
    said = predictor.predict(texts)
    effects = predictor.effects(texts)
    attention = predictor.attention(texts) if predictor.attends else [[] for _ in texts]
    return [
        Explained(
            source=row["source"],
            row=row["row"],
            given=row["label"],
            said=answer[classes],
            effects=tuple(words),
            attention=tuple(weight for _, weight in weights),
        )
        for row, answer, words, weights in zip(
            drawn.to_dicts(), said, effects, attention, strict=True
        )
    ]


def swapped(
    predictor: Predictor, texts: Sequence[str], lists: Sequence[Sequence[str]]
) -> list[Swapped]:
    """Each word of a list in the place of each other; all texts that hold it are asked about again."""
    return [
        _asked(predictor, texts, word, other)
        for words in lists
        for word, other in permutations(words, 2)
    ]


def _asked(predictor: Predictor, texts: Sequence[str], word: str, other: str) -> Swapped:
    changed = [(text, swap(text, word, other)) for text in texts]
    holding = [(old, new) for old, new in changed if new != old]
    before, after = (predictor.outputs([pair[i] for pair in holding]) for i in (0, 1))
    return Swapped(
        word=word,
        other=other,
        labels=predictor.class_names,
        before=tuple(map(tuple, before.tolist())),
        after=tuple(map(tuple, after.tolist())),
    )
