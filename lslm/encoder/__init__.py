"""Recurrent layers, attention, and the encoder every head shares."""
