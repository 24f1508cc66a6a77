"""The fused kernels of a GPU are taken where Keras's own conditions hold: here they are asked, without a GPU.

Read in Keras 3.15: `backend/{tensorflow,torch,jax}/rnn.py` and `inner_loop` of the two layers. They are listed
in docs/training.md.
"""

import inspect
from functools import partial
from importlib import import_module
from itertools import product
from typing import Any

import keras
import numpy as np
import pytest
from keras.src import backend

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.encoder.precision import computing_in
from lslm.heads.batching import TOKENS
from lslm.settings import Hyperparameters
from lslm.training.batches import for_keras

rnn = import_module("keras.src.backend.tensorflow.rnn")
N_WORDS, SIZE = 20, 6
DROPPED = dict.fromkeys(
    ("embedding_dropout", "spatial_dropout", "recurrent_dropout", "head_dropout"), 0.3
)
TARGETS = {"labels": ["a", "b"]}
FUSED = [kind for kind in heads.names() if "encoder.cell" not in heads.get(kind).unused]
"""Heads whose network has the encoder's cells; a language model steps by itself (docs/training.md)."""


class Spy:
    """Stands where Keras asks its backend for a fused kernel, and says that there is none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        for cell in ("lstm", "gru"):
            signature = inspect.signature(getattr(rnn, cell))
            monkeypatch.setattr(backend, cell, partial(self.note, cell, signature))

    def note(self, cell: str, signature: inspect.Signature, *given: Any, **named: Any) -> None:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        self.asked.append((cell, dict(bound.arguments)))
        raise NotImplementedError


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize(
    ("cell", "bidirectional", "precision"),
    [
        *product(("lstm", "gru"), (True, False), ("float32",)),
        ("lstm", True, "mixed_float16"),
    ],
)
def test_every_network_that_can_be_searched_asks_for_what_the_fused_kernel_can_do(
    kind: str, cell: str, bidirectional: bool, precision: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = heads.get(kind)
    changes = {"cell": cell, "layers": 2, "bidirectional": bidirectional, "units": 4}
    chosen = Hyperparameters().replaced(
        {f"encoder.{name}": value for name, value in {**changes, **DROPPED}.items()}
    )
    vectors = np.zeros((N_WORDS, SIZE), np.float32)
    encoder = Encoder(N_WORDS, SIZE, vectors, chosen.encoder, seed=1)
    targets = TARGETS if kind == "classify" else {"options": head.options().model_dump()}
    with computing_in(precision):
        network = head.build(encoder, targets, chosen)
    # An empty document among them: Keras's kernel refuses its mask, so none may be given.
    documents = [np.array([3, 4, 5], np.int32), np.zeros(0, np.int32)]
    inputs = head.batching.inputs(documents, 2)
    assert TOKENS in inputs

    spy = Spy(monkeypatch)
    network(for_keras(inputs), training=True)

    n_directions = 2 * (1 + bidirectional)
    assert len(spy.asked) >= n_directions
    assert sum(name == cell for name, _ in spy.asked) >= n_directions
    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    for name, asked in spy.asked:
        assert asked["mask"] is None
        assert not asked["go_backwards"]
        assert rnn.cudnn_ok(
            asked["activation"],
            asked["recurrent_activation"],
            asked["unroll"],
            use_bias=asked["bias"] is not None,
            **({"reset_after": asked["reset_after"]} if name == "gru" else {}),
        )


@pytest.mark.parametrize(
    "lost",
    [{"activation": "relu"}, {"recurrent_dropout": 0.2}, {"unroll": True}, {"use_bias": False}],
)
def test_the_spy_sees_what_loses_the_kernel(
    lost: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    keras.layers.LSTM(3, **lost)(np.zeros((2, 4, 5), np.float32), training=True)
    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    assert not any(
        rnn.cudnn_ok(
            asked["activation"],
            asked["recurrent_activation"],
            asked["unroll"],
            use_bias=asked["bias"] is not None,
        )
        for _, asked in spy.asked
    )
