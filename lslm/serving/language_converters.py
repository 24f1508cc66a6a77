"""How the layers of a language model are written as ONNX nodes, for whole documents."""

from typing import Any

import numpy as np
from onnx import GraphProto, TensorProto, helper

from lslm.heads.language_model._layers import Calm, CarriedLstm, NextToken, TiedWords
from lslm.serving.converters import as_array, converts, lstm_weights
from lslm.serving.graph import Graph

_END = np.iinfo(np.int64).max


@converts(TiedWords)
def _tied_words(graph: Graph, layer: TiedWords, inputs: list[str]) -> list[str]:
    table = graph.weights(as_array(layer.table))
    return [graph.node("Gather", table, inputs[0]), table]


@converts(Calm)
def _calm(graph: Graph, layer: Calm, inputs: list[str]) -> list[str]:
    return inputs[1:]


@converts(CarriedLstm)
def _carried(graph: Graph, layer: CarriedLstm, inputs: list[str]) -> list[str]:
    return [lstm(graph, layer, inputs[0])[0]]


def lstm(graph: Graph, layer: CarriedLstm, states: str, *start: str) -> list[str]:
    """From states `(batch, time, features)` to outputs, the last of them and the last cell.

    `start` are the first output and cell, `(1, batch, units)` each; zeros where they are left out.
    """
    weights = lstm_weights(*map(as_array, (layer.kernel, layer.recurrent, layer.bias)))
    constants = [
        *(graph.weights(each[None]) for each in weights[:2]),
        graph.constant(weights[2][None]),
    ]
    steps_first = graph.node("Transpose", states, perm=[1, 0, 2])
    given = [steps_first, *constants, *(("", *start) if start else ())]
    outputs, hidden, cell = graph.nodes("LSTM", given, 3, hidden_size=layer.units)
    # The node gives (time, directions, batch, units).
    rows_first = graph.node("Transpose", outputs, perm=[2, 0, 1, 3])
    shape = graph.constant([0, 0, layer.units], "int64")
    return [graph.node("Reshape", rows_first, shape), hidden, cell]


@converts(NextToken)
def _next_token(graph: Graph, layer: NextToken, inputs: list[str]) -> list[str]:
    states, tokens, table = inputs
    said = _from_to(graph, states, 0, -1)
    wanted, before = _from_to(graph, tokens, 1, _END), _from_to(graph, tokens, 0, -1)
    flat = graph.node("Reshape", said, graph.constant([-1, layer.input[2].shape[-1]], "int64"))
    right = graph.node("Reshape", wanted, graph.constant([-1], "int64"))
    n = graph.node("Shape", right)
    block = graph.constant([layer.together], "int64")
    lacking = graph.node("Sub", block, graph.node("Mod", n, block))
    blocks = _blocks(graph, flat, lacking, "float32", [0, layer.together, layer.input[2].shape[-1]])
    ids = _blocks(graph, right, lacking, "int32", [-1, layer.together])
    bias = graph.constant(as_array(layer.biases()))
    body = _cost_of_block(table, bias, layer.together)
    (costs,) = graph.nodes("Scan", [blocks, ids], 1, body=body, num_scan_inputs=2)
    costs = graph.node("Reshape", costs, graph.constant([-1], "int64"))
    zero = graph.constant([0], "int64")
    costs = graph.node("Reshape", graph.node("Slice", costs, zero, n), graph.node("Shape", wanted))
    return [graph.node("Where", _counting(graph, before, wanted), costs, graph.constant(0.0))]


def _from_to(graph: Graph, value: str, start: int, end: int) -> str:
    """A part of the second axis."""
    bounds = [graph.constant([each], "int64") for each in (start, end, 1)]
    return graph.node("Slice", value, *bounds)


def _blocks(graph: Graph, value: str, lacking: str, dtype: str, shape: list[int]) -> str:
    """Rows padded with zeros to full blocks, and cut into them."""
    n_axes = len(shape) - 1
    nothing = graph.constant([0] * n_axes, "int64")
    after = [lacking, *([graph.constant([0], "int64")] if n_axes == 2 else [])]
    around = graph.node("Concat", nothing, *after, axis=0)
    padded = graph.node("Pad", value, around, graph.constant(0, dtype))
    wanted = graph.constant([-1, *shape[1:]], "int64")
    return graph.node("Reshape", padded, wanted)


def _counting(graph: Graph, before: str, wanted: str) -> str:
    zero = graph.constant(0, "int32")
    there = [graph.node("Not", graph.node("Equal", each, zero)) for each in (before, wanted)]
    return graph.node("And", *there)


def _cost_of_block(table: str, bias: str, n_tokens: int) -> GraphProto:
    """The nats of a block of tokens: what a `Scan` does with each."""
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    made: list[Any] = [
        helper.make_node("Gemm", ["said", table, bias], ["logits"], transB=1),
        helper.make_node("ReduceLogSumExp", ["logits", "axis"], ["all"], keepdims=0),
        helper.make_node("Gather", [table, "right"], ["vectors"]),
        helper.make_node("Mul", ["said", "vectors"], ["products"]),
        helper.make_node("ReduceSum", ["products", "axis"], ["product"], keepdims=0),
        helper.make_node("Gather", [bias, "right"], ["own_bias"]),
        helper.make_node("Add", ["product", "own_bias"], ["own"]),
        helper.make_node("Sub", ["all", "own"], ["costs"]),
    ]
    floats = TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("said", floats, [n_tokens, None]),
        helper.make_tensor_value_info("right", TensorProto.INT32, [n_tokens]),
    ]
    outputs = [helper.make_tensor_value_info("costs", floats, [n_tokens])]
    return helper.make_graph(made, "cost_of_block", inputs, outputs, [axis])
