"""An ONNX graph under construction."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 20
_IR = 10
"""The oldest file version that holds the opset: onnxruntime refuses versions newer than itself."""

_NUMPY = {"float32": np.float32, "int32": np.int32, "int64": np.int64, "bool": np.bool_}


class Graph:
    """Collects nodes and constants; values go by name."""

    def __init__(self) -> None:
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
        "int32": TensorProto.INT32,
        "int64": TensorProto.INT64,
        "bool": TensorProto.BOOL,
    }[dtype]
