"""The cluster: brokers, quorum, partitions, clock, disk, versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from deptbus.operations.findings.finding import Finding, Severity, fine, named
from deptbus.workflow.said import Said

VOTER_AFTER_MS = 10_000
"""A voter that has not caught up for so long is behind, in milliseconds."""
HELD_AFTER_MS = 60_000
"""A transaction that is open for so long holds others up, in milliseconds."""
CLOCK_WARNING_MS = 1_000
CLOCK_ERROR_MS = 10_000
DISK_WARNING, DISK_ERROR = 0.10, 0.03
"""Shares of a volume that should be free."""
BAD_LIBRDKAFKA = frozenset({"2.8.1", "2.12.1"})
_GB = 1_000_000_000


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
