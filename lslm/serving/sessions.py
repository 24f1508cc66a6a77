"""ONNX graphs opened to answer, on the thread that asks."""

import onnxruntime


def opened(graph: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread: more gain nothing on networks this small, and spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
