"""From fitted networks to one ONNX graph, which answers without Keras.

Keras's own export writes a masked LSTM as a loop over steps; here each recurrent layer becomes one
LSTM or GRU node with `sequence_lens`.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import onnx

from lslm.encoder.layers import AttentionPooling
from lslm.serving.converters import convert
from lslm.serving.graph import Graph

TOKENS, OUTPUTS, ATTENTION = "tokens", "outputs", "attention"


def to_onnx(members: Sequence[keras.Model], path: Path) -> None:
    """Write networks of one shape as a graph that answers with their mean.

    Input `tokens`, int32 `(batch, time)`, padded on the right with 0. Outputs `outputs`, of the
    networks' shape, and `attention` `(batch, time)`, where the networks have it.
    """
    graph = Graph()
    written = [_write(graph, member) for member in members]
    graph.mean([outputs for outputs, _ in written], OUTPUTS)
    shape = members[0].output.shape[1:]
    kinds: dict[str, tuple[str, Sequence[str | int]]] = {
        OUTPUTS: ("float32", ["batch", *(size or "time" for size in shape)])
    }
    attentions = [attention for _, attention in written if attention]
    if attentions:
        graph.mean(attentions, ATTENTION)
        kinds[ATTENTION] = ("float32", ["batch", "time"])
    onnx.save(graph.model({TOKENS: ("int32", ["batch", "time"])}, kinds), str(path))


def _write(graph: Graph, member: keras.Model) -> tuple[str, str | None]:
    """Write one network; the names of its outputs and of its attention, if it has one."""
    (tokens,) = member.inputs
    names, attention = {id(tokens): TOKENS}, None
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
