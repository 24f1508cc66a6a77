"""Recurrent layers that have read before any label is seen: a language model starts the encoder."""
