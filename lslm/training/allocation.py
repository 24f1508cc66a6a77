"""How the C library hands out memory while networks are trained."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""As `malloc.h` of glibc numbers them."""
_LARGE = 2**25
"""Bytes of a block that still comes and goes as the system's own pages, the most that glibc takes. In holes that
whole tables of words leave in the heap little else fits: 300,000 words of 300 units came to more than 4 GiB."""
_KEPT = 2**28
"""Bytes at the end of the heap that may be free before any go back to the system."""
_asked = False


def keep_freed_memory() -> None:
    """Have memory that is freed used again, in place of new pages of the system.

    Nothing is done with other C libraries than glibc, as of macOS and Alpine: they have no `mallopt`.
    TensorFlow's `BlockLSTM` packs its weights at each time step, 4 MB for 400 units, and glibc gets so much from
    the system each time, which clears it page by page: a hundred thousand page faults a training step, and a third
    of its time (docs/log.md). To be called before the process starts threads that allocate; what the settings mean
    is in mallopt(3).
    """
    global _asked
    _asked = True
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        # With one arena nothing lies in heaps of 64 MB that are given back whole.
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _KEPT)


def still_keep_freed_memory() -> None:
    """Ask once more, where it was asked for: something else may have set it back."""
    if _asked:
        keep_freed_memory()
