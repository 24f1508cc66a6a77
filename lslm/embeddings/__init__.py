"""Word vectors learned from the person's own text."""
