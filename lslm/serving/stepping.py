"""A step of a language model as an ONNX graph: its state goes in and comes out.

Going on by a token costs the same however long the text is. Inputs `tokens` `(batch, time)`, and
`hidden` and `cell` `(layers of all members, batch, units)`; outputs `log_probabilities` of what comes
next, `(batch, n_words)`, averaged over members, and the state `next_hidden` and `next_cell`.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import onnx

from lslm.heads.batching import TOKENS
from lslm.heads.language_model._layers import CarriedLstm, NextToken
from lslm.serving.converters import as_array, convert
from lslm.serving.graph import Graph
from lslm.serving.language_converters import lstm

HIDDEN, CELL, NEXT_HIDDEN, NEXT_CELL = "hidden", "cell", "next_hidden", "next_cell"
LOG_PROBABILITIES = "log_probabilities"


def to_step(members: Sequence[keras.Model], path: Path, stored: str = "float32") -> None:
    """Write networks of one shape as a graph that goes on with a text; `stored` as in the encoder's settings."""
    graph = Graph(len(members), stored)
    states: list[tuple[str, str]] = []
    graph.mean([_write(graph, member, states) for member in members], LOG_PROBABILITIES)
    for place, name in enumerate((NEXT_HIDDEN, NEXT_CELL)):
        joined = graph.nodes("Concat", [state[place] for state in states], 1, axis=0)
        graph.mean(joined, name)
    memory = next(each for each in members[0].layers if isinstance(each, CarriedLstm))
    state = ("float32", [len(states), "batch", memory.units])
    onnx.save(
        graph.model(
            {TOKENS: ("int32", ["batch", "time"]), HIDDEN: state, CELL: state},
            {
                LOG_PROBABILITIES: ("float32", ["batch", _n_words(members[0])]),
                NEXT_HIDDEN: state,
                NEXT_CELL: state,
            },
        ),
        str(path),
    )


def _n_words(member: keras.Model) -> int:
    return next(each.n_words for each in member.layers if isinstance(each, NextToken))


def _write(graph: Graph, member: keras.Model, states: list[tuple[str, str]]) -> str:
    """Write one network, add its layers' states, and tell the name of its log probabilities."""
    names = {id(tensor): TOKENS for tensor in member.inputs}
    for layer in member.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        inputs = [names[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        if isinstance(layer, NextToken):
            return _next(graph, layer, inputs[0], inputs[2])
        if isinstance(layer, CarriedLstm):
            outputs = _going_on(graph, layer, inputs[0], states)
        else:
            outputs = convert(graph, layer, inputs)
        tensors = keras.tree.flatten(layer.output)
        names.update(zip(map(id, tensors), outputs, strict=True))
    raise ValueError(f"the network {member.name!r} predicts no next token")


def _going_on(
    graph: Graph, layer: CarriedLstm, inner: str, states: list[tuple[str, str]]
) -> list[str]:
    """The layer from its place in the state on."""
    place = len(states)
    bounds = [graph.constant([each], "int64") for each in (place, place + 1)]
    start = [graph.node("Slice", name, *bounds) for name in (HIDDEN, CELL)]
    outputs, hidden, cell = lstm(graph, layer, inner, *start)
    states.append((hidden, cell))
    return [outputs]


def _next(graph: Graph, layer: NextToken, states: str, table: str) -> str:
    """What comes after the last token."""
    last = graph.node("Gather", states, graph.constant(-1, "int64"), axis=1)
    bias = graph.constant(as_array(layer.biases()))
    return graph.node("LogSoftmax", graph.node("Gemm", last, table, bias, transB=1), axis=-1)
