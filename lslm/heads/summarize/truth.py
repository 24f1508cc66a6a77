"""What a summary should be: from references, from labels that were given, or from the text itself.

The truth of a document is a JSON object:

    sentences    its sentences
    references   summaries; the document itself where there are none
    gains        for each sentence how well it would do alone, from 0 to 1
    labels       for each sentence 1 if it belongs to the best summary, else 0
    length       how long summaries are (see `Length`)
    language     of all of them
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from lslm.errors import InputError
from lslm.heads.contract import Array, Targets
from lslm.heads.ragged import ragged
from lslm.heads.summarize.options import Length, Options
from lslm.heads.summarize.rouge import against_the_rest, best, best_grams, tokens
from lslm.heads.summarize.selection import choose, joined, words_allowed
from lslm.text.sentences import splitter

SUMMARY, LABELS = "summary", "sentence_labels"
_LOOKED_AT = 200
"""Documents that show whether their language is the one that was named."""
_ANY = ""
"""No language: words of every script."""


def encode(documents: pl.DataFrame, targets: Targets) -> Array:
    """The truth of each document, `(n,)`; InputError for labels that are not one a sentence."""
    options = Options.model_validate(targets["options"])
    split = splitter(options.split, options.language)
    return ragged(
        [
            _truth(split(text), given, options, where)
            for text, given, where in zip(
                documents["text"], extras(documents), _places(documents), strict=True
            )
        ]
    )


def check(documents: pl.DataFrame) -> None:
    """InputError where some documents have a summary and others have none."""
    given = [bool(_references(each.get(SUMMARY), "summary")) for each in extras(documents)]
    if any(given) and not all(given):
        raise InputError(
            f"{given.count(False)} of {len(given)} documents have no summary",
            where="summary",
            right="a summary for each document, or for none",
        )


def check_language(documents: pl.DataFrame, language: str) -> None:
    """InputError where most words are none that ROUGE compares: English knows the letters a to z alone."""
    texts = documents["text"].head(_LOOKED_AT).to_list()
    n_words = sum(len(tokens(text, _ANY)) for text in texts)
    n_compared = sum(len(tokens(text, language)) for text in texts)
    if n_compared < n_words / 2:
        raise InputError(
            f"of {n_words:,} words {n_compared:,} can be compared as those of the language {language!r}",
            where="head.options.language",
            right="the language of the documents, such as zh or ru",
        )


def extras(documents: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """What the sources gave besides the text, one dictionary a document."""
    if "extras" not in documents.columns:
        yield from ({} for _ in range(len(documents)))
        return
    for cell in documents["extras"]:
        yield json.loads(cell) if cell else {}


def _places(documents: pl.DataFrame) -> Iterator[str]:
    if not {"source", "row"} <= set(documents.columns):
        yield from ("summary" for _ in range(len(documents)))
        return
    for source, row in documents.select("source", "row").iter_rows():
        yield f"{source}, row {row}"


def _truth(
    sentences: list[str], given: dict[str, Any], options: Options, where: str
) -> dict[str, Any]:
    references = _references(given.get(SUMMARY), where)
    language = options.language
    if references:
        gains = [sum(best(each, references, language)) / 3 for each in sentences]
        gains = _without_title(gains, options)
        labels = _greedy(sentences, references, options, language)
    else:
        # Gap sentences (Zhang et al. 2020, PEGASUS, section 3.1).
        gains = _without_title(against_the_rest(sentences, language), options)
        best_places = choose(sentences, gains, options, language)
        labels = [int(place in best_places) for place in range(len(sentences))]
        references = ("\n".join(sentences),)
    if given.get(LABELS) is not None:
        labels = _given_labels(given[LABELS], len(sentences), where)
    length = {name: getattr(options, name) for name in Length.model_fields}
    return {
        "sentences": sentences,
        "references": list(references),
        "gains": gains,
        "labels": labels,
        "length": length,
        "language": language,
    }


def _references(given: Any, where: str) -> tuple[str, ...]:
    """One summary or a list of them."""
    if given is None:
        return ()
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise InputError(
            f"the summary {str(given)[:80]!r} is no text",
            where=where,
            right="a text, or a list of texts",
        )
    return tuple(each for each in listed if each.strip())


def _given_labels(given: Any, n: int, where: str) -> list[int]:
    ok = isinstance(given, list) and len(given) == n and all(each in (0, 1) for each in given)
    if not ok:
        told = f"{len(given)} labels" if isinstance(given, list) else repr(given)
        raise InputError(
            f"{told} for {n} sentences",
            where=where,
            right="a list of one 0 or 1 a sentence; `head.options.split: lines` keeps given sentences",
        )
    return [int(each) for each in given]


def _without_title(gains: list[float], options: Options) -> list[float]:
    return [0.0, *gains[1:]] if options.title and len(gains) > 1 else gains


def _greedy(
    sentences: Sequence[str], references: tuple[str, ...], options: Options, language: str
) -> list[int]:
    """Sentence by sentence what raises ROUGE-1 plus ROUGE-2 most, until nothing does.

    Nallapati, Zhai & Zhou 2017 (SummaRuNNer), section 3; for one sentence this is the exact best. A sentence that
    no summary has room for is passed over, as by `choose`.
    """
    counts = [len(sentence.split()) for sentence in sentences]
    first = int(options.title and len(sentences) > 1)
    most, room = options.n_sentences or len(sentences), words_allowed(counts, options)
    if room is not None and room < min(counts[first:], default=0):
        # One sentence in any case.
        most, room = 1, None
    room = sum(counts) if room is None else room
    chosen: list[int] = []
    reached = 0.0
    while len(chosen) < min(most, len(sentences) - first):
        left = room - sum(counts[place] for place in chosen)
        tried = [
            (_worth(sentences, sorted([*chosen, place]), references, language), -place)
            for place in range(first, len(sentences))
            if place not in chosen and counts[place] <= left
        ]
        worth, place = max(tried, default=(0.0, 0))
        if worth <= reached:
            break
        reached = worth
        chosen.append(-place)
    return [int(place in chosen) for place in range(len(sentences))]


def _worth(
    sentences: Sequence[str], places: Sequence[int], references: tuple[str, ...], language: str
) -> float:
    return sum(best_grams(joined(sentences, places), references, language))
