"""Vectors of fewer units, for models that have to be small."""

import numpy as np

from lslm.embeddings.vectors import Floats


def reduced(vectors: Floats, units: int) -> Floats:
    """Vectors `(n_words, size)` on their first principal components, `(n_words, units)`, of unit size again.

    The axes are those of these vectors around zero; rows of zeros stay. Each axis points to where its largest
    part is positive, so that the same vectors give the same result.
    """
    exact = np.asarray(vectors, np.float64)
    # The eigenvectors come in rising order of what they explain.
    axes = np.linalg.eigh(exact.T @ exact)[1][:, ::-1][:, :units]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    projected = exact @ axes
    return (projected / projected.std()).astype(np.float32)
