"""Where out-of-fold answers are wrong, and where the labels probably are.

Only documents of the development set are looked at: who reads the holdout's errors and mends the model
after them has no holdout any more.
"""

import numpy as np
import polars as pl

from lslm.evaluation.answers import Answers
from lslm.evaluation.report import Confusion, Errors, Mistake
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Array, Head
from lslm.statistics.label_errors import likely_label_errors
from lslm.statistics.resampling import confusion

_SHOWN = 10
_SHOWN_CONFUSIONS = 20
_SHOWN_CHARACTERS = 80
_LARGEST_MATRIX = 30
"""Labels; a larger matrix is left out, and its largest cells are among the confusions."""


def errors(head: Head, pooled: Answers, documents: pl.DataFrame) -> Errors | None:
    """What the report tells of wrong answers; `documents` in the order of the pooled folds."""
    if head.classes is None:
        return None
    names, outputs = head.classes.names(dict(pooled.targets)), pooled.outputs[NETWORK]
    wrong = np.flatnonzero(outputs.argmax(axis=1) != pooled.truth)
    surest = wrong[np.argsort(-outputs[wrong].max(axis=1), kind="stable")]
    suspects = likely_label_errors(outputs, pooled.truth)
    counts = confusion(pooled.truth, outputs)
    small = len(names) <= _LARGEST_MATRIX
    return Errors(
        n=len(pooled.truth),
        n_wrong=len(wrong),
        labels=tuple(names) if small else (),
        matrix=tuple(map(tuple, counts.tolist())) if small else (),
        confusions=_confusions(counts, names),
        confident=_mistakes(surest[:_SHOWN], pooled, documents, names),
        n_suspects=len(suspects),
        suspects=_mistakes(suspects[:_SHOWN], pooled, documents, names),
    )


def _confusions(counts: Array, names: list[str]) -> tuple[Confusion, ...]:
    off = counts - np.diag(counts.diagonal())
    order = np.argsort(-off, axis=None, kind="stable")[:_SHOWN_CONFUSIONS]
    pairs = (divmod(int(cell), len(names)) for cell in order)
    return tuple(
        Confusion(given=names[given], said=names[said], n=int(off[given, said]))
        for given, said in pairs
        if off[given, said]
    )


def _mistakes(
    rows: Array, pooled: Answers, documents: pl.DataFrame, names: list[str]
) -> tuple[Mistake, ...]:
    shown = documents[rows].select("source", "row", "text").to_dicts()
    outputs, truth = pooled.outputs[NETWORK][rows], pooled.truth[rows]
    return tuple(
        Mistake(
            source=document["source"],
            row=document["row"],
            given=names[given],
            given_probability=float(said[given]),
            said=names[int(said.argmax())],
            said_probability=float(said.max()),
            text=document["text"][:_SHOWN_CHARACTERS],
        )
        for document, said, given in zip(shown, outputs, truth, strict=True)
    )
