"""What runs on the cluster: schemas, topics, groups, dead letters, the audit."""

from collections.abc import Mapping, Sequence

from deptbus.operations.findings.finding import NAMED_MAX, NO_ADVICE, Finding, Severity, fine, named
from deptbus.operations.lag import Lag, State
from deptbus.topics.plan import Action, Plan
from deptbus.workflow.said import Said

EMPTY_AFTER_MS = 60_000
"""A group without members is told of once a record has waited for it so long, in milliseconds."""


def registry(
    url: str, versions: int, missing: Sequence[str], broken: Sequence[str], others: Sequence[str]
) -> list[Finding]:
    """Schemas on disk against those that are registered."""
    area = "registry"
    found = []
    if missing:
        found.append(
            Finding(
                area,
                "missing",
                Severity.ERROR,
                Said(
                    f"{len(missing)} 个模式版本未登记：{named(missing)}",
                    f"{len(missing)} schema versions are not registered: {named(missing)}",
                ),
                Said("`deptbus schemas register`", "`deptbus schemas register`"),
            )
        )
    found += [
        Finding(
            area,
            "incompatible",
            Severity.ERROR,
            Said(sentence, sentence),
            Said("`deptbus schemas check` 逐项说明", "`deptbus schemas check` tells each"),
        )
        for sentence in broken
    ]
    if not found:
        found.append(
            fine(
                area, f"{versions} 个模式版本均已登记，{url}", f"all {versions} schema versions are registered at {url}"
            )
        )
    if others:
        found.append(
            Finding(
                area,
                "others",
                Severity.NOTE,
                Said(
                    f"{len(others)} 个主体不在 schemas/ 中：{named(others)}",
                    f"{len(others)} subjects are in no file: {named(others)}",
                ),
            )
        )
    return found


def registry_down(reason: str) -> list[Finding]:
    """Nothing new can be published or read."""
    return [
        Finding(
            "registry",
            "down",
            Severity.ERROR,
            Said(reason, reason),
            Said(
                "启动它；已在运行的进程继续工作，新进程不能启动",
                "start it; processes that run go on, new ones cannot start",
            ),
        )
    ]


_DRIFT: Mapping[Action, tuple[Severity, str, str]] = {
    Action.CREATE: (Severity.ERROR, "尚未创建", "are not there"),
    Action.REFUSED: (Severity.ERROR, "与声明不符且不能就地更改", "differ in what is never changed in place"),
    Action.ALTER: (Severity.WARNING, "设置与声明不符", "are set otherwise than declared"),
    Action.DELETE: (Severity.WARNING, "未声明", "are in no file"),
    Action.UNKNOWN: (Severity.NOTE, "未声明", "are in no file"),
}


def topics(plan: Plan, declared: int, lapsed: Sequence[str]) -> list[Finding]:
    """Topics on the cluster against ``topics/``."""
    area = "topics"
    found = []
    for action, (severity, zh, en) in _DRIFT.items():
        names = sorted({change.topic for change in plan.of(action)})
        if names:
            found.append(
                Finding(
                    area,
                    f"drift_{action.value}",
                    severity,
                    Said(f"{len(names)} 个主题{zh}：{named(names)}", f"{len(names)} {en}: {named(names)}"),
                    NO_ADVICE
                    if action is Action.UNKNOWN
                    else Said(
                        "`deptbus topics plan`，再 `deptbus topics apply`", "`deptbus topics plan`, then `apply`"
                    ),
                )
            )
    found += [
        Finding(
            area, "grant_lapsed", Severity.WARNING, Said(sentence, sentence), Said("续期或删除", "renew or remove it")
        )
        for sentence in lapsed
    ]
    if not any(one.calls for one in found):
        found.insert(0, fine(area, f"{declared} 个主题均如声明", f"all {declared} are as declared"))
    return found


def groups(lags: Sequence[Lag], names: Sequence[str], unknown: Sequence[str]) -> list[Finding]:
    """Whether readers read. ``lags``: by partition."""
    area = "groups"
    found = [finding for one in lags for finding in _lag(one)]
    stopped: dict[tuple[str, str], list[Lag]] = {}
    for one in lags:
        if one.state is State.STOPPED:
            stopped.setdefault((one.group, one.topic), []).append(one)
    for (group, topic), parts in stopped.items():
        events, waited = sum(one.events for one in parts), max(one.waiting_ms for one in parts)
        if waited >= EMPTY_AFTER_MS:
            most = "" if all(one.exact for one in parts) else "at most "
            found.append(
                Finding(
                    area,
                    "empty",
                    Severity.WARNING,
                    Said(
                        f"{group} 没有成员，{topic} 有 {events} 个事件未读，最早的已等待 {waited // 1000} 秒",
                        f"{group} has no members, and {most}{events} unread events in {topic}, the first for "
                        f"{waited // 1000} s",
                    ),
                    Said("启动该服务，或不再需要时删除该组", "start its service, or drop the group if nobody needs it"),
                )
            )
    if unknown:
        found.append(
            Finding(
                area,
                "unknown",
                Severity.NOTE,
                Said(
                    f"{len(unknown)} 个组不属于任何部门：{named(unknown)}",
                    f"{len(unknown)} are no department's: {named(unknown)}",
                ),
            )
        )
    if not any(one.calls for one in found):
        found.insert(0, fine(area, f"{len(names)} 个组读取正常", f"{len(names)} groups read on"))
    return found


def _lag(one: Lag) -> list[Finding]:
    where = f"{one.topic}[{one.partitions[0]}]@{one.position}"
    found = []
    if one.state is State.STUCK:
        found.append(
            Finding(
                "groups",
                "stuck",
                Severity.ERROR,
                Said(
                    f"{one.group} 停在 {where}，未读记录已等待 {one.waiting_ms // 1000} 秒",
                    f"{one.group} stands still at {where}, where a record has waited for {one.waiting_ms // 1000} s",
                ),
                Said(f"查看 {one.owner or '其成员'} 的日志", f"see the log of {one.owner or 'its members'}"),
            )
        )
    if one.state is State.UNREADABLE:
        found.append(
            Finding(
                "groups",
                "unreadable",
                Severity.ERROR,
                Said(
                    f"{one.group} 在 {where} 处读不出记录",
                    f"{one.group} is before a record that nobody can read, {where}",
                ),
                Said(
                    "停止该组，用 `deptbus groups reset` 越过该批次",
                    "stop it, and pass over the batch with `deptbus groups reset`",
                ),
            )
        )
    if one.lost:
        found.append(
            Finding(
                "groups",
                "lost",
                Severity.ERROR,
                Said(
                    f"{one.group} 在 {where} 之前有 {one.lost} 条记录未及读取即过保留期",
                    f"{one.group} has lost {one.lost} records before {where}: retention removed them unread",
                ),
                Said("从归档恢复它们，延长保留期", "restore them from an archive, and keep the topic for longer"),
            )
        )
    if one.ahead:
        found.append(
            Finding(
                "groups",
                "ahead",
                Severity.ERROR,
                Said(
                    f"{one.group} 的位置 {where} 超出主题末尾 {one.ahead}",
                    f"{one.group} stands {one.ahead} behind the end at {where}",
                ),
                Said(
                    "主题曾被重建：停止该组，用 `deptbus groups reset` 重设",
                    "the topic was made anew: stop the group and set its offsets with `deptbus groups reset`",
                ),
            )
        )
    return found


def deadletters(open_by_topic: Mapping[str, int], not_looked_at: int, unreadable: int) -> list[Finding]:
    """Dead letters of the last day that nobody has done anything about, by the topic of the record in them.

    ``not_looked_at``: records of that day on ``bus.deadletters``, letters and acts, that were too many to look at;
    ``unreadable``: those looked at in vain.
    """
    area = "deadletters"
    count = sum(open_by_topic.values())
    if not (count or not_looked_at or unreadable):
        return [fine(area, "最近一天没有未处理的死信", "none of the last day is open")]
    most = sorted(open_by_topic.items(), key=lambda item: -item[1])[:NAMED_MAX]
    zh = f"最近一天有 {count} 封死信未处理"
    en = f"{count} of the last day are open"
    if most:
        topics = ", ".join(f"{topic} {number}" for topic, number in most)
        zh, en = f"{zh}：{topics}", f"{en}: {topics}"
    if not_looked_at:
        zh, en = f"{zh}；更早的 {not_looked_at} 条记录未查看", f"{en}; {not_looked_at} earlier records not looked at"
    if unreadable:
        zh, en = f"{zh}；{unreadable} 条记录读不出", f"{en}; {unreadable} records cannot be read"
    advice = Said("`deptbus deadletters list`", "`deptbus deadletters list`")
    return [Finding(area, "some", Severity.WARNING, Said(zh, en), advice)]


def audit(acts: int, broken: Sequence[Said]) -> list[Finding]:
    """Whether what is on record is whole."""
    if not broken:
        return [fine("audit", f"{acts} 项记录完整", f"{acts} acts on record, and the chain is whole")]
    return [
        Finding(
            "audit",
            "broken",
            Severity.ERROR,
            said,
            Said(
                "`deptbus audit verify`；保全现有记录，查明谁能写入该主题",
                "`deptbus audit verify`; keep what is there, find who can write the topic",
            ),
        )
        for said in broken
    ]
