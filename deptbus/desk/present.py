"""What time it is in actual life, where broker time decides and this machine's clock may be wrong. Pure."""

from dataclasses import dataclass

from deptbus.workflow.said import Said

OFF_MS_MAX = 60_000
"""By so much a machine's clock may differ before broker time counts instead."""
_S = 1000


@dataclass(frozen=True, slots=True)
class Present:
    """The time that counts, and what is to be known of it."""

    at_ms: int
    note: Said | None = None


def is_doubtful(local_ms: int, newest_ms: int) -> bool:
    """Whether this machine's clock is so far ahead of the newest broker time, if any, that a report is waited for."""
    return 0 < newest_ms < local_ms - OFF_MS_MAX


def present(local_ms: int, newest_ms: int, live_ms: int | None = None) -> Present:
    """The time that counts. ``newest_ms``: the latest broker time of any record read, 0 where there is none;
    ``live_ms``: that of a record which came while this machine's clock was ``local_ms``, if one was waited for.
    """
    if newest_ms - local_ms > OFF_MS_MAX:
        return Present(newest_ms, _wrong(newest_ms - local_ms, Said("慢", "behind")))
    if live_ms is not None and local_ms - live_ms > OFF_MS_MAX:
        return Present(live_ms, _wrong(local_ms - live_ms, Said("快", "ahead of")))
    if live_ms is None and is_doubtful(local_ms, newest_ms):
        silent_s = (local_ms - newest_ms) // _S
        return Present(
            local_ms,
            Said(
                f"bus.progress 已有 {silent_s} 秒无人报告：correlate 和 advance 没有运行，其间不会有事项到期；"
                "或者本机时钟偏快。",
                f"Nobody has reported on bus.progress for {silent_s} s: correlate and advance do not run, and nothing "
                "falls due meanwhile; or this machine's clock is ahead.",
            ),
        )
    return Present(local_ms)


def _wrong(off_ms: int, where: Said) -> Said:
    return Said(
        f"本机时钟比消息代理{where.zh} {off_ms // _S} 秒；此处以消息代理的时间为准。请校正时钟。",
        f"This machine's clock is {off_ms // _S} s {where.en} the broker's; broker time counts here. Set the clock.",
    )
