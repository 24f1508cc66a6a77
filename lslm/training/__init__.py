"""From documents to fitted networks."""
