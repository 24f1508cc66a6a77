"""From documents to tokens to ids."""
