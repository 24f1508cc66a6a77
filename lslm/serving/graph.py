"""An ONNX graph under construction."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_OPSET = 20
_IR = 10
"""The oldest file version that holds the opset: onnxruntime refuses versions newer than itself."""

_NUMPY = {
    "float32": np.float32,
    "float16": np.float16,
    "int8": np.int8,
    "int32": np.int32,
    "int64": np.int64,
    "bool": np.bool_,
}
_LARGE = 1024
"""Numbers in an array; smaller ones are not worth rounding."""
_LONG = 16
"""Numbers in a row; a scale for each shorter one would take what int8 saves."""


class Graph:
    """Collects nodes and constants; values go by name.

    `stored` is the type that large weights are kept in (see `EncoderSettings.stored`).
    """

    def __init__(self, n_members: int = 1, stored: str = "float32") -> None:
        self.n_members, self.stored = n_members, stored
        self._weights: dict[str, str] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        return self.nodes(operator, inputs, 1, **attributes)[0]

    def nodes(
        self, operator: str, inputs: Sequence[str], n_outputs: int, **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs; an input named "" is left out."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        outputs = [f"{name}:{i}" for i in range(n_outputs)]
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs

    def constant(self, value: Any, dtype: str = "float32") -> str:
        """A constant's name; equal constants are kept once, so members share a frozen embedding."""
        array = np.asarray(value, _NUMPY[dtype])
        content = hashlib.sha256(array.tobytes()).hexdigest()[:16]
        name = f"{dtype}{list(array.shape)}:{content}"
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def weights(self, array: NDArray[np.float32]) -> str:
        """The name of a layer's weights, in float32; large ones are rounded where the graph is to be small.

        The runtime folds what turns them back when it opens the graph: answers take no longer.
        """
        plain = self.stored == "float32" or array.size < _LARGE
        if plain or (self.stored == "int8" and array.shape[-1] < _LONG):
            return self.constant(array)
        if self.stored == "float16":
            return self._restored(self.constant(array, "float16"))
        scale = np.abs(array).max(axis=-1, keepdims=True) / 127
        rounded = np.rint(array / np.where(scale, scale, 1))
        return self._restored(self.constant(rounded, "int8"), self.constant(scale))

    def _restored(self, kept: str, scale: str | None = None) -> str:
        """Rounded weights as float32, once for all that share them."""
        both = f"{kept} {scale}"
        if both not in self._weights:
            value = self.cast(kept, "float32")
            self._weights[both] = self.node("Mul", value, scale) if scale else value
        return self._weights[both]

    def cast(self, value: str, dtype: str) -> str:
        """Convert a value."""
        return self.node("Cast", value, to=_element(dtype))

    def mean(self, values: Sequence[str], name: str) -> None:
        """Give the mean of values the name of a graph output."""
        operator = "Mean" if len(values) > 1 else "Identity"
        self._nodes.append(helper.make_node(operator, values, [name], name=name))

    def model(
        self,
        inputs: dict[str, tuple[str, Sequence[str | int]]],
        outputs: dict[str, tuple[str, Sequence[str | int]]],
    ) -> onnx.ModelProto:
        """The finished and checked model; inputs and outputs as name to (dtype, shape)."""
        graph = helper.make_graph(
            self._nodes,
            "lslm",
            [_value(name, *kind) for name, kind in inputs.items()],
            [_value(name, *kind) for name, kind in outputs.items()],
            list(self._constants.values()),
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(
            graph, producer_name="lslm", opset_imports=[opset], ir_version=_IR
        )
        onnx.checker.check_model(model)
        return model


def _value(name: str, dtype: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _element(dtype), shape)


def _element(dtype: str) -> int:
    return {
        "float32": TensorProto.FLOAT,
        "float16": TensorProto.FLOAT16,
        "int8": TensorProto.INT8,
        "int32": TensorProto.INT32,
        "int64": TensorProto.INT64,
        "bool": TensorProto.BOOL,
    }[dtype]
