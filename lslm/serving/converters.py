"""How each type of layer is written as ONNX nodes. A new type is one function here or in a plug-in.

A converter takes the graph, the layer and the names of its inputs, and returns the names of its
outputs.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from lslm.encoder import layers
from lslm.encoder.ngrams import PRIME, HashedNgrams
from lslm.heads._linear import LinearNgrams, Mixed
from lslm.heads.contract import Array
from lslm.heads.linear import PRIMES, SPANS
from lslm.heads.summarize._layers import Regrouped, SentenceMask, Sentences
from lslm.serving.graph import Graph

Converter = Callable[[Graph, Any, list[str]], list[str]]

_converters: dict[type, Converter] = {}


def converts(*kinds: type) -> Callable[[Converter], Converter]:
    """Register a converter for exactly these types of layer."""

    def register(converter: Converter) -> Converter:
        _converters.update(dict.fromkeys(kinds, converter))
        return converter

    return register


def convert(graph: Graph, layer: Any, inputs: list[str]) -> list[str]:
    """Write one layer; NotImplementedError names a type that has no converter."""
    kind = type(layer)
    if kind not in _converters:
        known = ", ".join(sorted(each.__name__ for each in _converters))
        raise NotImplementedError(
            f"layer {layer.name!r} of type {kind.__module__}.{kind.__name__} has no ONNX converter; "
            f"register one with lslm.serving.converters.converts (there are: {known})"
        )
    return _converters[kind](graph, layer, inputs)


@converts(
    keras.layers.Dropout, keras.layers.SpatialDropout1D, keras.layers.Identity, layers.WordDropout
)
def _identity(graph: Graph, layer: keras.layers.Layer, inputs: list[str]) -> list[str]:
    return inputs[:1]


@converts(keras.layers.Concatenate)
def _concatenate(graph: Graph, layer: keras.layers.Concatenate, inputs: list[str]) -> list[str]:
    return [graph.nodes("Concat", inputs, 1, axis=layer.axis)[0]]


@converts(keras.layers.Add)
def _add(graph: Graph, layer: keras.layers.Add, inputs: list[str]) -> list[str]:
    return graph.nodes("Sum", inputs, 1)


@converts(keras.layers.Dense)
def _dense(graph: Graph, layer: keras.layers.Dense, inputs: list[str]) -> list[str]:
    product = graph.node("MatMul", inputs[0], graph.weights(as_array(layer.kernel)))
    if layer.use_bias:
        product = graph.node("Add", product, graph.constant(as_array(layer.bias)))
    return [_activation(graph, layer, product)]


@converts(keras.layers.Activation)
def _activate(graph: Graph, layer: keras.layers.Activation, inputs: list[str]) -> list[str]:
    return [_activation(graph, layer, inputs[0])]


@converts(keras.layers.LayerNormalization)
def _normalize(
    graph: Graph, layer: keras.layers.LayerNormalization, inputs: list[str]
) -> list[str]:
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
    width = layer.input.shape[-1]
    scale = as_array(layer.gamma) if layer.scale else np.ones(width)
    shift = as_array(layer.beta) if layer.center else np.zeros(width)
    constants = [graph.constant(scale), graph.constant(shift)]
    return graph.nodes(
        "LayerNormalization", [inputs[0], *constants], 1, axis=axis, epsilon=layer.epsilon
    )


@converts(layers.TokenMask)
def _token_mask(graph: Graph, layer: layers.TokenMask, inputs: list[str]) -> list[str]:
    return [graph.node("Not", graph.node("Equal", inputs[0], graph.constant(0, "int32")))]


@converts(layers.WordEmbedding)
def _word_embedding(graph: Graph, layer: layers.WordEmbedding, inputs: list[str]) -> list[str]:
    table = as_array(layer.table)
    end = layers.FIRST_WORD + layer.tuned_words
    if layer.tuned_words and graph.n_members == 1:
        table = table.copy()
        table[layers.FIRST_WORD : end] += as_array(layer.difference)
    vectors = graph.node("Gather", graph.weights(table), inputs[0])
    if not layer.tuned_words or graph.n_members == 1:
        return [vectors]
    # The frozen table stays apart, so that members share it. Other words hit a row of zeros.
    rows = ((layers.FIRST_WORD, 1), (0, 0))
    changes = graph.weights(np.pad(as_array(layer.difference), rows))
    beyond = graph.constant(end, "int32")
    change = graph.node("Gather", changes, graph.node("Min", inputs[0], beyond))
    return [graph.node("Add", vectors, change)]


@converts(HashedNgrams)
def _hashed_ngrams(graph: Graph, layer: HashedNgrams, inputs: list[str]) -> list[str]:
    table, buckets = graph.weights(as_array(layer.table)), graph.constant(layer.buckets, "int32")
    value, shifted, vectors = graph.node("Mod", inputs[0], buckets), inputs[0], []
    for _ in range(layer.order - 1):
        shifted = _shifted(graph, shifted)
        value = _hashed(graph, value, PRIME, shifted, buckets)
        vectors.append(graph.node("Gather", table, value))
    return [_summed(graph, inputs[0], vectors)]


@converts(LinearNgrams)
def _linear_ngrams(graph: Graph, layer: LinearNgrams, inputs: list[str]) -> list[str]:
    table, buckets = graph.weights(as_array(layer.table)), graph.constant(layer.buckets, "int32")
    n_words = graph.constant(layer.n_words, "int32")
    spans = [graph.constant(span, "int32") for span in SPANS]
    values = [graph.node("Mod", inputs[0], span) for span in spans]
    shifted, rows = inputs[0], [inputs[0]]
    for _ in range(layer.order - 1):
        shifted = _shifted(graph, shifted)
        values = [
            _hashed(graph, value, prime, shifted, span)
            for value, prime, span in zip(values, PRIMES, spans, strict=True)
        ]
        both = graph.node("Add", values[0], graph.node("Mul", spans[0], values[1]))
        rows.append(graph.node("Add", n_words, graph.node("Mod", both, buckets)))
    scores = [graph.node("Gather", table, each) for each in rows]
    bias = graph.constant(as_array(layer.bias))
    return [graph.node("Add", _summed(graph, inputs[0], scores), bias)]


@converts(Mixed)
def _mixed(graph: Graph, layer: Mixed, inputs: list[str]) -> list[str]:
    shares = (graph.constant(1 - layer.share), graph.constant(layer.share))
    scores = [graph.node("Mul", *each) for each in zip(inputs, shares, strict=True)]
    return [graph.node("Softmax", graph.node("Add", *scores), axis=-1)]


def _shifted(graph: Graph, tokens: str) -> str:
    """One step to the right: a column of padding in front, the last column off."""
    around = graph.constant([0, 1, 0, -1], "int64")
    return graph.node("Pad", tokens, around, graph.constant(0, "int32"))


def _hashed(graph: Graph, value: str, prime: int, earlier: str, span: str) -> str:
    product = graph.node("Mul", value, graph.constant(prime, "int32"))
    return graph.node("Mod", graph.node("Add", product, earlier), span)


def _summed(graph: Graph, tokens: str, vectors: list[str]) -> str:
    """Over the tokens of a document and its n-grams, divided by the root of the number of tokens."""
    one, zero = graph.constant([1], "int64"), graph.constant(0, "int32")
    present = graph.cast(graph.node("Not", graph.node("Equal", tokens, zero)), "float32")
    counted = graph.node("Max", graph.node("ReduceSum", present, one), graph.constant(1.0))
    weights = graph.node("Unsqueeze", graph.node("Div", present, graph.node("Sqrt", counted)), one)
    product = graph.node("MatMul", weights, graph.node("Sum", *vectors))
    return graph.node("Squeeze", product, one)


@converts(Sentences)
def _sentences(graph: Graph, layer: Sentences, inputs: list[str]) -> list[str]:
    words = graph.node("Shape", inputs[0], start=2, end=3)
    shape = graph.node("Concat", graph.constant([-1], "int64"), words, axis=0)
    return [graph.node("Reshape", inputs[0], shape)]


@converts(Regrouped)
def _regrouped(graph: Graph, layer: Regrouped, inputs: list[str]) -> list[str]:
    vectors, grid = inputs
    rows = graph.node("Shape", grid, start=0, end=2)
    units = graph.constant([layer.output.shape[-1]], "int64")
    return [graph.node("Reshape", vectors, graph.node("Concat", rows, units, axis=0))]


@converts(SentenceMask)
def _sentence_mask(graph: Graph, layer: SentenceMask, inputs: list[str]) -> list[str]:
    first = graph.node("Gather", inputs[0], graph.constant(0, "int64"), axis=2)
    return [graph.node("Not", graph.node("Equal", first, graph.constant(0, "int32")))]


@converts(layers.Recurrent)
def _recurrent(graph: Graph, layer: layers.Recurrent, inputs: list[str]) -> list[str]:
    directions = [d for d in (layer.forward, layer.backward) if d is not None]
    write = {"lstm": _lstm_weights, "gru": _gru_weights}[layer.cell]
    weights = [np.stack(arrays) for arrays in zip(*map(write, directions), strict=True)]
    steps_first = graph.node("Transpose", inputs[0], perm=[1, 0, 2])
    # The node gives (time, directions, batch, units).
    outputs = graph.node(
        layer.cell.upper(),
        steps_first,
        *(graph.weights(array) for array in weights[:2]),
        graph.constant(weights[2]),
        _lengths(graph, inputs[1]),
        hidden_size=layer.units,
        direction="bidirectional" if layer.bidirectional else "forward",
        **({"linear_before_reset": 1} if layer.cell == "gru" else {}),
    )
    documents_first = graph.node("Transpose", outputs, perm=[2, 0, 1, 3])
    width = layer.units * len(directions)
    return [graph.node("Reshape", documents_first, graph.constant([0, 0, width], "int64"))]


@converts(layers.AttentionPooling)
def _attention(graph: Graph, layer: layers.AttentionPooling, inputs: list[str]) -> list[str]:
    states, mask = inputs
    product = graph.node(
        "MatMul", graph.node("Tanh", states), graph.constant(as_array(layer.query))
    )
    scores = graph.node("Squeeze", product, graph.constant([-1], "int64"))
    kept = graph.node("Where", mask, scores, graph.constant(layers.lowest("float32")))
    weights = graph.node("Softmax", kept, axis=-1)
    weights = graph.node("Mul", weights, graph.cast(mask, "float32"))
    one = graph.constant([1], "int64")
    product = graph.node("MatMul", graph.node("Unsqueeze", weights, one), states)
    return [graph.node("Squeeze", product, one), weights]


@converts(layers.MaxPooling)
def _max_pooling(graph: Graph, layer: layers.MaxPooling, inputs: list[str]) -> list[str]:
    states, mask = inputs
    kept = graph.node("Unsqueeze", mask, graph.constant([-1], "int64"))
    kept = graph.node("Where", kept, states, graph.constant(layers.lowest("float32")))
    highest = graph.node("ReduceMax", kept, graph.constant([1], "int64"), keepdims=0)
    some = graph.node("Unsqueeze", _lengths(graph, mask), graph.constant([1], "int64"))
    some = graph.node("Greater", some, graph.constant(0, "int32"))
    return [graph.node("Where", some, highest, graph.constant(0.0))]


@converts(layers.LastState)
def _last_state(graph: Graph, layer: layers.LastState, inputs: list[str]) -> list[str]:
    states, mask = inputs
    last = graph.node("Sub", _lengths(graph, mask), graph.constant(1, "int32"))
    last = graph.cast(graph.node("Max", last, graph.constant(0, "int32")), "int64")
    rows = graph.node("Unsqueeze", last, graph.constant([1], "int64"))
    forward = graph.node("GatherND", states, rows, batch_dims=1)
    if not layer.bidirectional:
        return [forward]
    first = graph.node("Gather", states, graph.constant(0, "int64"), axis=1)
    half = graph.constant([layer.input[0].shape[-1] // 2] * 2, "int64")
    ends = [
        graph.nodes("Split", [value, half], 2, axis=-1)[side]
        for side, value in enumerate((forward, first))
    ]
    return [graph.node("Concat", *ends, axis=-1)]


def _activation(graph: Graph, layer: Any, value: str) -> str:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    operators = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh"}
    if name == "linear":
        return value
    if name not in operators:
        raise NotImplementedError(
            f"activation {name!r} of layer {layer.name!r} has no ONNX converter; "
            f"there are: linear, {', '.join(operators)}"
        )
    return graph.node(operators[name], value)


def _lengths(graph: Graph, mask: str) -> str:
    """Tokens of each document, int32 `(batch,)`."""
    counted = graph.cast(mask, "int32")
    return graph.node("ReduceSum", counted, graph.constant([1], "int64"), keepdims=0)


def _lstm_weights(layer: keras.layers.LSTM) -> tuple[Array, Array, Array]:
    return lstm_weights(*(as_array(weight) for weight in layer.get_weights()))


def lstm_weights(kernel: Array, recurrent: Array, bias: Array) -> tuple[Array, Array, Array]:
    """Input, recurrent and bias weights: Keras's gates i, f, c, o in ONNX's order i, o, f, c."""

    def reorder(array: Array) -> Array:
        i, f, c, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1).T

    ours = reorder(bias)
    return reorder(kernel), reorder(recurrent), np.concatenate([ours, np.zeros_like(ours)])


def _gru_weights(layer: keras.layers.GRU) -> tuple[Array, Array, Array]:
    """Input, recurrent and bias weights; the gates z, r, h stand in the same order."""
    kernel, recurrent, biases = (as_array(weight) for weight in layer.get_weights())
    return kernel.T, recurrent.T, biases.reshape(-1)


def as_array(weight: Any) -> Array:
    """A weight as float32."""
    return np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
