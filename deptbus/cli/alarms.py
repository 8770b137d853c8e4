"""What to say of a group that is too far behind or stands still, in two languages."""

from collections.abc import Iterable, Sequence

from deptbus.cli import words
from deptbus.operations.lag import Lag, Limit, State, by_topic

_SENTENCES = {
    "over": {
        "en": "{group} has {unread} unread events in {topic}, the first of which has waited {waited}.",
        "zh": "{group} 在 {topic} 有 {unread} 个事件未读，最早的已等待 {waited}。",
    },
    "unreadable": {
        "en": "{group} is before a record that nobody can read, {where}: its batch is damaged; pass over it with "
        "`deptbus groups reset`.",
        "zh": "{group} 在 {where} 处读不出记录：该批次已损坏，用 `deptbus groups reset` 越过它。",
    },
    "held": {
        "en": "What follows {where} is held back by an open transaction: find its producer and stop it.",
        "zh": "{where} 之后的记录被一个未结束的事务挡住：找到其生产者并停止它。",
    },
    "lost": {
        "en": "{group} has lost {lost} records before {where}: retention removed them before they were read.",
        "zh": "{group} 在 {where} 之前有 {lost} 条记录未及读取即过保留期。",
    },
    "ahead": {
        "en": "{group} stands {ahead} behind the end of its partition at {where}: the topic was made anew; set the "
        "group's offsets with `deptbus groups reset`.",
        "zh": "{group} 的位置 {where} 超出主题末尾 {ahead}：主题曾被重建，用 `deptbus groups reset` 重设。",
    },
    "stuck": {
        "en": "{group} stands still at {where} though a record has waited there for {waited}; see the log of {owner}.",
        "zh": "{group} 停在 {where}，未读记录已等待 {waited}；查看 {owner} 的日志。",
    },
}
_NOBODY = {"en": "its members: none of them was given this partition", "zh": "各成员（该分区未分配给任何成员）"}


def alerts(lags: Sequence[Lag], limits: Iterable[Limit], lang: str) -> list[str]:
    """One sentence for each topic of a group that is over a limit, and each partition that stands still."""
    limits = list(limits)
    over = [one for one in by_topic(lags) if any(limit.exceeded(one) for limit in limits)]
    return [
        *(_sentence("over", one, lang) for one in over),
        *(_sentence(_kind(one), one, lang) for one in lags if one.alarming),
    ]


def _kind(one: Lag) -> str:
    if one.state in (State.UNREADABLE, State.HELD):
        return one.state.value
    if one.lost:
        return "lost"
    return "ahead" if one.ahead else "stuck"


def _sentence(kind: str, one: Lag, lang: str) -> str:
    return _SENTENCES[kind][lang].format(
        group=one.group,
        topic=one.topic,
        where=f"{one.topic}[{one.partitions[0]}]@{one.position}",
        unread=words.events(one.events, lang, exact=one.exact),
        waited=words.brief(one.waiting_ms, lang),
        lost=one.lost,
        ahead=one.ahead,
        owner=one.owner or _NOBODY[lang],
    )
