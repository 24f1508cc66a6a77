"""What is timed inside training processes; each function says how many processor seconds it took.

Networks and models of Keras are timed in `lslm.costing.training`, which only those processes import.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lslm import heads
from lslm.evaluation.baselines import Documents, answer_baseline
from lslm.heads.contract import Targets
from lslm.serving.predictor import Predictor
from lslm.settings import EmbeddingSettings, HeadSettings
from lslm.text.store import Rows, Tokens
from lslm.training.parts import prepare
from lslm.training.workers import Workers


def vectors_seconds(
    tokens: Path, rows: Rows, embedding: EmbeddingSettings, threads: int, into: Path
) -> float:
    """Of Word2Vec on the given documents, on all threads together."""
    from lslm.embeddings import word2vec

    began = time.process_time()
    vectors = word2vec.pretrain(Tokens(tokens), rows, embedding, workers=threads)
    vectors.save(into)
    return time.process_time() - began


def prepare_seconds(
    documents: Path,
    tokens: Path,
    training: Rows,
    validation: Rows,
    outside: Path | None,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    into: Path,
) -> float:
    """Of making a training part."""
    began = time.process_time()
    prepare(documents, tokens, (training, validation), outside, embedding, head, into)
    return time.process_time() - began


def baseline_seconds(
    head_kind: str,
    name: str,
    documents: Path,
    sizes: Sequence[tuple[Rows, Rows]],
    targets: Targets,
) -> list[float]:
    """Of fitting and asking a baseline with each pair of training rows and others."""
    found: list[float] = []
    for training, others in sizes:
        began = time.process_time()
        answer_baseline(
            head_kind,
            name,
            Documents(documents, training),
            Documents(documents, others),
            targets,
            seed=0,
        )
        found.append(time.process_time() - began)
    return found


@dataclass(frozen=True)
class Served:
    """Seconds a document of a model as it is served."""

    answer: float
    explain: float


def served_seconds(model: Path, texts: Sequence[str], n_explained: int) -> Served:
    """Of answers, and of answers with each word left out, which only classifiers give."""
    predictor = Predictor.load(model)
    predictor.outputs(texts[:1])
    began = time.process_time()
    predictor.outputs(texts)
    asked = time.process_time()
    explained = list(texts[:n_explained]) if heads.get(_kind(predictor)).classes else []
    if explained:
        predictor.effects(explained)
    done = time.process_time()
    return Served((asked - began) / len(texts), (done - asked) / max(1, len(explained)))


def _kind(predictor: Predictor) -> str:
    return predictor.description.head.kind


def frame_of(documents: Path, rows: Rows) -> pl.DataFrame:
    """Rows of a Parquet file."""
    frame: Any = pl.read_parquet(documents)
    return frame[rows]


def at_once(processes: Workers, calls: Sequence[dict[str, Any]]) -> list[Any]:
    """Results of calls of training processes, as many at once as there are processes."""
    with ThreadPoolExecutor(processes.number) as threads:
        return list(threads.map(lambda call: processes.run(**call), calls))
