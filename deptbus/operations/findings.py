"""What a look at the whole bus finds, how grave it is, and what to do. Pure: facts go in, findings come out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from deptbus.operations.lag import Lag, State
from deptbus.topics.plan import Action, Plan
from deptbus.workflow.said import Said

EMPTY_AFTER_MS = 60_000
"""A group without members is told of once a record has waited for it so long, in milliseconds."""
VOTER_AFTER_MS = 10_000
"""A voter that has not caught up for so long is behind, in milliseconds."""
HELD_AFTER_MS = 60_000
"""A transaction that is open for so long holds others up, in milliseconds."""
CLOCK_WARNING_MS = 1_000
CLOCK_ERROR_MS = 10_000
DISK_WARNING, DISK_ERROR = 0.10, 0.03
"""Shares of a volume that should be free."""
BAD_LIBRDKAFKA = frozenset({"2.8.1", "2.12.1"})
_NAMED_MAX = 3
_GB = 1_000_000_000


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    """Something does not work, or data are at risk."""
    WARNING = "warning"
    """Something will not work, or somebody waits."""
    NOTE = "note"
    """Worth knowing."""
    FINE = "fine"
    """Looked at, and nothing is wrong."""


NO_ADVICE = Said("", "")


class Finding(NamedTuple):
    """One thing that was found."""

    area: str
    kind: str
    """The same for the same thing, for programs."""
    severity: Severity
    text: Said
    advice: Said = NO_ADVICE

    @property
    def calls(self) -> bool:
        """Whether somebody should act."""
        return self.severity in (Severity.ERROR, Severity.WARNING)


def fine(area: str, zh: str, en: str) -> Finding:
    """Nothing is wrong."""
    return Finding(area, "fine", Severity.FINE, Said(zh, en))


def not_told(area: str, reason: str, severity: Severity = Severity.WARNING) -> Finding:
    """An area that could not be looked at."""
    return Finding(area, "not_told", severity, Said(f"无法检查：{reason}", f"could not be looked at: {reason}"))


def named(names: Sequence[str]) -> str:
    """The first few of some names."""
    more = f", … ({len(names)})" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more


@dataclass(frozen=True, slots=True)
class Node:
    """A broker."""

    id: int
    host: str
    port: int


def brokers(nodes: Sequence[Node], controller: int | None, cluster: str) -> list[Finding]:
    """Who serves the cluster."""
    area = "brokers"
    found = [fine(area, f"{len(nodes)} 个代理，集群 {cluster}", f"{len(nodes)} answer, cluster {cluster}")]
    if controller is None:
        found.append(
            Finding(
                area,
                "no_controller",
                Severity.ERROR,
                Said("没有控制器", "there is no controller"),
                Said("查看各控制器的日志", "see the controllers' logs"),
            )
        )
    if len(nodes) == 1:
        found.append(
            Finding(
                area,
                "single",
                Severity.NOTE,
                Said("只有一个代理：它停止时总线停止", "there is only one: while it is away the bus stands"),
                Said("生产环境用三个，副本数 3", "use three with replication 3 in production"),
            )
        )
    return found


class Standing(NamedTuple):
    """A controller of the quorum, and how far it is behind its leader."""

    id: int
    behind: int
    """Entries of the metadata log."""
    since_ms: int | None
    """How long ago it had all; None if that is not known."""


def quorum(leader: int, epoch: int, voters: Sequence[Standing]) -> list[Finding]:
    """Whether the controllers agree, and could lose one."""
    area = "quorum"
    if leader < 0:
        return [
            Finding(
                area,
                "no_leader",
                Severity.ERROR,
                Said("控制器没有选出领导者", "the controllers have no leader"),
                Said("启动多数控制器，查看其日志", "start a majority of them, and see their logs"),
            )
        ]
    found = [
        fine(
            area,
            f"领导者 {leader}，第 {epoch} 任期，{len(voters)} 个投票者",
            f"led by {leader} in epoch {epoch}, {len(voters)} voters",
        )
    ]
    return found + [
        Finding(
            area,
            "voter_behind",
            Severity.WARNING,
            Said(
                f"投票者 {voter.id} 落后 {voter.behind} 条，已 {voter.since_ms // 1000} 秒",
                f"voter {voter.id} is {voter.behind} entries behind, for {voter.since_ms // 1000} s",
            ),
            Said("查看该控制器是否运行、磁盘和网络", "see whether it runs, its disk and its network"),
        )
        for voter in voters
        if voter.behind > 0 and voter.since_ms is not None and voter.since_ms > VOTER_AFTER_MS
    ]


class Replica(NamedTuple):
    """A partition and where it is kept."""

    name: str
    """``health.cases[0]``, by its name in Kafka."""
    leader: int
    replicas: int
    in_sync: int


def partitions(all_of_them: Sequence[Replica]) -> list[Finding]:
    """Whether every partition can be written, and is kept as often as it should be."""
    area = "partitions"
    offline = [one.name for one in all_of_them if one.leader < 0]
    short = [one.name for one in all_of_them if one.leader >= 0 and one.in_sync < one.replicas]
    found = []
    if offline:
        found.append(
            Finding(
                area,
                "offline",
                Severity.ERROR,
                Said(
                    f"{len(offline)} 个分区无法读写：{named(offline)}", f"{len(offline)} are offline: {named(offline)}"
                ),
                Said("启动保存它们的代理", "start the brokers that keep them"),
            )
        )
    if short:
        found.append(
            Finding(
                area,
                "under_replicated",
                Severity.WARNING,
                Said(f"{len(short)} 个分区副本不足：{named(short)}", f"{len(short)} lack replicas: {named(short)}"),
                Said("查看哪个代理不在或太慢", "see which broker is away or slow"),
            )
        )
    return found or [fine(area, f"{len(all_of_them)} 个分区副本齐全", f"all {len(all_of_them)} have their replicas")]


def held(places: Iterable[tuple[str, int, int]]) -> list[Finding]:
    """Partitions (name, offset, how long in milliseconds) whose readers wait for the end of a transaction."""
    return [
        Finding(
            "partitions",
            "held",
            Severity.WARNING,
            Said(
                f"{name}@{offset} 之后的记录被一个未结束的事务挡住 {waited // 1000} 秒",
                f"what follows {name}@{offset} is held back by a transaction that is open for {waited // 1000} s",
            ),
            Said(
                "找到其生产者并停止它，或用 kafka-transactions.sh 中止该事务",
                "find its producer and stop it, or abort it with kafka-transactions.sh",
            ),
        )
        for name, offset, waited in places
        if waited >= HELD_AFTER_MS
    ]


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


def clock(offset_ms: int, uncertain_ms: int) -> list[Finding]:
    """This machine's clock against the broker's; positive where the broker's is ahead."""
    area = "clock"
    off = max(0, abs(offset_ms) - uncertain_ms)
    zh = f"代理的时钟比本机{'快' if offset_ms >= 0 else '慢'} {abs(offset_ms)} ± {uncertain_ms} 毫秒"
    en = f"the broker's is {abs(offset_ms)} ± {uncertain_ms} ms {'ahead of' if offset_ms >= 0 else 'behind'} ours"
    if off < CLOCK_WARNING_MS:
        return [fine(area, zh, en)]
    severity = Severity.ERROR if off >= CLOCK_ERROR_MS else Severity.WARNING
    return [Finding(area, "off", severity, Said(zh, en), Said("用 NTP 校准两台机器", "set both machines by NTP"))]


def deadletters(open_by_topic: Mapping[str, int], not_looked_at: int) -> list[Finding]:
    """Dead letters of the last day that nobody has done anything about, by the topic of the record in them.

    ``not_looked_at``: records of that day on ``bus.deadletters``, letters and acts, that were too many to look at.
    """
    area = "deadletters"
    count = sum(open_by_topic.values())
    if not count and not not_looked_at:
        return [fine(area, "最近一天没有未处理的死信", "none of the last day is open")]
    most = sorted(open_by_topic.items(), key=lambda item: -item[1])[:_NAMED_MAX]
    zh = f"最近一天有 {count} 封死信未处理"
    en = f"{count} of the last day are open"
    if most:
        topics = ", ".join(f"{topic} {number}" for topic, number in most)
        zh, en = f"{zh}：{topics}", f"{en}: {topics}"
    if not_looked_at:
        zh, en = f"{zh}；更早的 {not_looked_at} 条记录未查看", f"{en}; {not_looked_at} earlier records not looked at"
    advice = Said("`deptbus deadletters list`", "`deptbus deadletters list`")
    return [Finding(area, "some", Severity.WARNING, Said(zh, en), advice)]


class Volume(NamedTuple):
    """Where data lie."""

    name: str
    offline: bool
    used_bytes: int
    total_bytes: int
    """-1 where it is not known."""
    free_bytes: int


def disk(volumes: Sequence[Volume]) -> list[Finding]:
    """Whether there is room."""
    found = []
    for one in volumes:
        used, free = f"{one.used_bytes / _GB:.1f} GB", f"{one.free_bytes / _GB:.1f} GB"
        if one.offline:
            found.append(
                Finding(
                    "disk",
                    "offline",
                    Severity.ERROR,
                    Said(f"{one.name} 已离线", f"{one.name} is offline"),
                    Said("查看该代理的磁盘和日志", "see the broker's disk and log"),
                )
            )
        elif one.total_bytes <= 0:
            found.append(
                fine("disk", f"{one.name}：已用 {used}，余量未知", f"{one.name}: {used} used, free room unknown")
            )
        elif (share := one.free_bytes / one.total_bytes) < DISK_WARNING:
            found.append(
                Finding(
                    "disk",
                    "low",
                    Severity.ERROR if share < DISK_ERROR else Severity.WARNING,
                    Said(f"{one.name}：只余 {free}（{share:.0%}）", f"{one.name}: only {free} ({share:.0%}) are free"),
                    Said("扩容，或缩短保留期（topics/）", "add room, or keep topics for a shorter time (topics/)"),
                )
            )
        else:
            found.append(
                fine(
                    "disk",
                    f"{one.name}：已用 {used}，余 {free}（{share:.0%}）",
                    f"{one.name}: {used} used, {free} ({share:.0%}) free",
                )
            )
    return found


def versions(of: Mapping[str, str]) -> list[Finding]:
    """What runs here and there: names to versions."""
    listed = ", ".join(f"{name} {version}" for name, version in of.items())
    found = [fine("versions", listed, listed)]
    if of.get("librdkafka") in BAD_LIBRDKAFKA:
        found.append(
            Finding(
                "versions",
                "bad_librdkafka",
                Severity.ERROR,
                Said(
                    f"librdkafka {of['librdkafka']} 有已知缺陷", f"librdkafka {of['librdkafka']} is known to be broken"
                ),
                Said("升级 confluent-kafka", "install another confluent-kafka"),
            )
        )
    return found


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
