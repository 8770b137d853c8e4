"""The C library's allocator, which keeps what was freed for the thread that had it."""

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can (glibc).

    Worth its milliseconds after something large and passing: a restore leaves a third of its memory in the arenas of
    the threads that fetched.
    """
    if _trim is not None:
        _trim(0)
