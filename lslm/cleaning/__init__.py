"""From raw documents to a clean corpus: one file a step, each with one decision and its reason."""
