"""From fitted networks to one ONNX graph, which answers without Keras.

Keras's own export writes a masked LSTM as a loop over steps; here each recurrent layer becomes one
LSTM or GRU node with `sequence_lens`.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import keras
import onnx

from lslm.encoder.layers import AttentionPooling
from lslm.serving.converters import convert
from lslm.serving.graph import Graph

# Registers its converters.
import_module("lslm.serving.language_converters")

OUTPUTS, ATTENTION = "outputs", "attention"


def to_onnx(members: Sequence[keras.Model], path: Path, stored: str = "float32") -> None:
    """Write networks of one shape as a graph that answers with their mean; `stored` as in the encoder's settings.

    Inputs are the networks', by their names; free axes may have any size. Outputs `outputs`, of the
    networks' shape, and `attention`, a row a sequence of tokens, where the networks have it.
    """
    graph = Graph(len(members), stored)
    written = [_write(graph, member) for member in members]
    graph.mean([outputs for outputs, _ in written], OUTPUTS)
    kinds = {OUTPUTS: _kind(members[0].output)}
    attentions = [attention for _, attention in written if attention]
    if attentions:
        graph.mean(attentions, ATTENTION)
        kinds[ATTENTION] = ("float32", ["sequences", "time"])
    inputs = {tensor.name: _kind(tensor) for tensor in members[0].inputs}
    onnx.save(graph.model(inputs, kinds), str(path))


def _kind(tensor: keras.KerasTensor) -> tuple[str, Sequence[str | int]]:
    """The type and shape of an input or output."""
    axes = [size or f"axis_{number}" for number, size in enumerate(tensor.shape[1:], start=1)]
    return tensor.dtype, ["batch", *axes]


def _write(graph: Graph, member: keras.Model) -> tuple[str, str | None]:
    """Write one network; the names of its outputs and of its attention, if it has one."""
    names, attention = {id(tensor): tensor.name for tensor in member.inputs}, None
    for layer in member.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        inputs = [names[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        outputs = convert(graph, layer, inputs)
        tensors = keras.tree.flatten(layer.output)
        names.update(zip(map(id, tensors), outputs, strict=True))
        if isinstance(layer, AttentionPooling):
            attention = outputs[1]
    return names[id(member.output)], attention
