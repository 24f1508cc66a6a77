"""Which documents belong together: a union of pairs, as arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


class Groups:
    """Documents 0 to n-1 in groups; each group is named by its first document."""

    def __init__(self, n: int) -> None:
        self.first: Positions = np.arange(n, dtype=np.int64)

    def join(self, left: Positions, right: Positions) -> None:
        """Unite the groups of each pair.

        Example:
            >>> groups = Groups(4)
            >>> groups.join(np.array([0, 3]), np.array([2, 2]))
            >>> groups.first.tolist()
            [0, 1, 0, 0]
        """
        ends = np.concatenate([self.first[left], self.first[right]])
        if not len(ends):
            return
        nodes, index = np.unique(ends, return_inverse=True)
        component = _components(len(nodes), index[: len(left)], index[len(left) :])
        lowest = np.full(component.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(lowest, component, nodes)
        place = np.minimum(np.searchsorted(nodes, self.first), len(nodes) - 1)
        known = nodes[place] == self.first
        self.first[known] = lowest[component[place[known]]]

    def join_equal(self, values: NDArray[Any], documents: Positions) -> None:
        """Unite documents (given by position) that have equal values."""
        order = np.argsort(values, kind="stable")
        same = np.flatnonzero(values[order][1:] == values[order][:-1])
        self.join(documents[order[same]], documents[order[same + 1]])

    def apart(self, left: Positions, right: Positions) -> NDArray[np.bool_]:
        """Which pairs are not in one group yet."""
        return self.first[left] != self.first[right]


def _components(n: int, left: Positions, right: Positions) -> Positions:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
