"""WikiText-2 by the protocol of the field, and the head's own network for it.

33,278 words; each line ends with `<eos>`, empty ones too; a part is one document.
"""

import gzip
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lslm import heads
from lslm.embeddings import word2vec
from lslm.embeddings.vectors import Floats, of_unit_size
from lslm.encoder.encoder import Encoder
from lslm.encoder.precision import computing_in
from lslm.settings import EmbeddingSettings, Hyperparameters
from lslm.text.store import FLAT, Tokens, finish
from lslm.text.vocabulary import MARK, SPECIAL, Ids, Vocabulary
from lslm.training.optimizers import optimizer
from lslm.training.parts import Examples
from lslm.training.streams import Streams

HEAD = heads.get("language-model")
SEED = 1
EOS, UNKNOWN = "<eos>", "<unk>"
TRAINING, VALIDATION, TEST = "train.txt.gz", "valid.txt", "test.txt"
CPU: dict[str, Any] = {
    "size": 300,
    "embedding.method": "word2vec",
    "encoder.units": 512,
    "encoder.layers": 1,
    "encoder.embedding_dropout": 0.1,
    "encoder.spatial_dropout": 0.3,
    "encoder.recurrent_dropout": 0.2,
    "encoder.head_dropout": 0.4,
    "training.batch_size": 80,
    "training.learning_rate": 3e-3,
    "training.clip_norm": 1.0,
    "training.weight_decay": 0.0,
    "training.lazy_words": True,
    "training.precision": "mixed_bfloat16",
    "head.steps": 35,
    "head.weight_dropout": 0.3,
    "head.activation": 1.0,
    "head.temporal": 0.5,
    "head.sampled_words": 3000,
}
GPU: dict[str, Any] = {
    **CPU,
    "size": 400,
    "embedding.method": "none",
    "encoder.units": 1150,
    "encoder.layers": 3,
    "encoder.spatial_dropout": 0.65,
    "encoder.head_dropout": 0.4,
    "training.learning_rate": 1e-3,
    "training.clip_norm": 0.25,
    "training.weight_decay": 1.2e-6,
    "training.lazy_words": False,
    "training.precision": "float32",
    "training.epochs": 750,
    "head.steps": 70,
    "head.weight_dropout": 0.5,
    "head.activation": 2.0,
    "head.temporal": 1.0,
    "head.sampled_words": 0,
}


def words_of(data: Path, part: str) -> list[str]:
    """Words of a part, each line with its `<eos>`."""
    path = data / "wikitext2" / part
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return [word for line in text.splitlines() for word in (*line.split(), EOS)]


def vocabulary_of(words: list[str]) -> Vocabulary:
    """All words by falling frequency; `<eos>` is the mark between lines."""
    counts = Counter(MARK if word == EOS else word for word in words)
    frequent = (word for word, _ in counts.most_common() if word != UNKNOWN)
    return Vocabulary((*SPECIAL, *frequent))


def ids_of(vocabulary: Vocabulary, words: list[str]) -> Ids:
    """Ids of words, `(n,)`."""
    return vocabulary.encode([MARK if word == EOS else word for word in words])


def hyperparameters(chosen: dict[str, Any]) -> Hyperparameters:
    """As the head takes them."""
    head = {name[5:]: value for name, value in chosen.items() if name.startswith("head.")}
    others = {name: value for name, value in chosen.items() if name[:5] in {"encod", "train"}}
    return Hyperparameters(head=head).replaced(others)


def vectors_of(vocabulary: Vocabulary, ids: Ids, size: int, workers: int) -> Floats:
    """Word2Vec of the text alone, as a training part has it, `(n_words, size)`; lines are documents."""
    ends = np.flatnonzero(ids == vocabulary.mark) + 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids.tofile(folder / FLAT)
        finish(folder, np.diff(ends, prepend=0), vocabulary.words)
        settings = EmbeddingSettings(size=size, min_count=1)
        rows = np.arange(len(ends))
        learned = word2vec.pretrain(Tokens(folder), rows, settings, workers=workers)
    vectors = np.zeros((len(vocabulary), size), np.float32)
    vectors[vocabulary.encode(learned.words)] = of_unit_size(learned.vectors)
    return vectors


def network_of(chosen: dict[str, Any], n_words: int, vectors: Floats | None = None) -> keras.Model:
    """The head's own network."""
    wanted = hyperparameters(chosen)
    encoder = Encoder(n_words, chosen["size"], vectors, wanted.encoder, SEED)
    with computing_in(wanted.training.precision):
        return HEAD.build(encoder, {}, wanted.replaced({"training.seed": SEED}))


def begin(network: keras.Model, ids: Ids) -> None:
    """Put in what every fit of the head begins with."""
    assert HEAD.begin is not None
    HEAD.begin(network, np.bincount(ids, minlength=network.get_layer("next_token").n_words))


def streams_of(chosen: dict[str, Any], ids: Ids, mark: int) -> Streams:
    """The text as one document, which ends with the mark, in rows."""
    document = Examples(ids[:-1], np.array([0, len(ids) - 1]), np.empty(0))
    n_rows, steps = chosen["training.batch_size"], chosen["head.steps"]
    return Streams(document, HEAD.batching, mark, n_rows, steps, SEED)


def compiled(network: keras.Model, chosen: dict[str, Any], n_steps: int) -> None:
    """With the optimizer and the loss of every fit."""
    wanted = hyperparameters(chosen)
    network.compile(optimizer=optimizer(wanted.training, n_steps), loss=HEAD.loss(wanted))
    network.optimizer.build(network.trainable_variables)
