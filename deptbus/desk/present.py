"""What time it is in actual life, where broker time decides and this machine's clock may be wrong. Pure."""

from dataclasses import dataclass

OFF_MS_MAX = 60_000
"""By so much a machine's clock may differ before broker time counts instead."""
_S = 1000


@dataclass(frozen=True, slots=True)
class Present:
    """The time that counts, and what is to be known of it."""

    at_ms: int
    note: str | None = None


def is_doubtful(local_ms: int, newest_ms: int) -> bool:
    """Whether this machine's clock is so far ahead of the newest broker time, if any, that a report is waited for."""
    return 0 < newest_ms < local_ms - OFF_MS_MAX


def present(local_ms: int, newest_ms: int, live_ms: int | None = None) -> Present:
    """The time that counts. ``newest_ms``: the latest broker time of any record read, 0 where there is none;
    ``live_ms``: that of a record which came while this machine's clock was ``local_ms``, if one was waited for.
    """
    if newest_ms - local_ms > OFF_MS_MAX:
        return Present(newest_ms, _wrong(newest_ms - local_ms, "behind"))
    if live_ms is not None and local_ms - live_ms > OFF_MS_MAX:
        return Present(live_ms, _wrong(local_ms - live_ms, "ahead of"))
    if live_ms is None and is_doubtful(local_ms, newest_ms):
        return Present(
            local_ms,
            f"Nobody has reported on bus.progress for {(local_ms - newest_ms) // _S} s: correlate and advance do not "
            "run, and nothing falls due meanwhile; or this machine's clock is ahead.",
        )
    return Present(local_ms)


def _wrong(off_ms: int, where: str) -> str:
    return f"This machine's clock is {off_ms // _S} s {where} the broker's; broker time counts here. Set the clock."
