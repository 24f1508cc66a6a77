"""Answering with a fitted model: the model folder, its ONNX graph, and what MLflow runs."""
