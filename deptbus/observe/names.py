"""Every metric: its name, unit, labels and meaning. Pure; dashboards and alert rules are held to this list by a test.

Names are Prometheus's conventions: the unit at the end, ``_total`` on what only grows. Labels have few values each:
event types, departments, topics, partitions; never an id, a key or a region.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``labels`` in the order in which values are given."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    labels: tuple[str, ...]
    help: str


def _counter(name: str, unit: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(f"deptbus_{name}_total", "counter", unit, labels, text)


def _gauge(name: str, unit: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(f"deptbus_{name}", "gauge", unit, labels, text)


def _histogram(name: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(f"deptbus_{name}_seconds", "histogram", "seconds", labels, text)


# The process
WORKER = _gauge("worker_info", "", ("worker", "namespace", "version"), "1, with what this process is.")
READY = _gauge("ready", "", (), "1 while /health/ready says so.")

# Events out
PUBLISHED = _counter("events_published", "events", ("type",), "Events handed to the broker.")
NOT_PUBLISHED = _counter(
    "publish_failures", "events", ("topic", "state"),
    "Publishes that were not acknowledged: certainly not on the topic (failed), or perhaps (unknown).",
)  # fmt: skip
UNANSWERED = _gauge("publishes_unanswered", "events", (), "Publishes without an answer yet.")

# Events in
RECEIVED = _counter("events_received", "events", ("type",), "Events read that something in this process takes.")
HANDLE = _histogram("handle_duration", ("service", "type"), "How long a service's handlers took for one event.")
RETRIES = _counter("retries", "attempts", ("service",), "Further attempts of handlers and of deliveries.")
DUPLICATES = _counter("duplicates", "events", ("service",), "Events that were handled already.")
FOREIGN = _counter("foreign_mode", "events", ("service",), "Events of a mode that has no place in the namespace.")
DEAD_LETTERS = _counter("dead_letters", "events", ("group", "reason"), "Events given up, kept whole as dead letters.")
BLOCKED = _gauge(
    "dead_letters_blocked", "partitions", (), "Partitions that wait because a dead letter cannot be written."
)

# Where consumers stand
LAG = _gauge("consumer_lag", "events", ("group", "topic", "partition"), "Offsets between what is done and the end.")
STALLED = _gauge(
    "consumer_stalled_seconds", "seconds", ("group", "topic", "partition"),
    "How long a partition has not moved with events before it.",
)  # fmt: skip

# All groups of a namespace, told by `run watch`
GROUP_LAG = _gauge(
    "group_lag_events", "events", ("group", "topic", "partition"),
    "Events that the group has not read, or, where they are very many, at most so many.",
)  # fmt: skip
GROUP_LAG_TIME = _gauge(
    "group_lag_seconds", "seconds", ("group", "topic", "partition"), "How long the first of them has waited."
)
GROUP_COMMIT_AGE = _gauge(
    "group_commit_age_seconds", "seconds", ("group", "topic", "partition"), "How long ago the group last committed."
)
GROUP_STUCK = _gauge(
    "group_stuck", "", ("group", "topic", "partition"), "1 where the position does not move though there are records."
)
GROUP_LOST = _gauge(
    "group_lost_events", "events", ("group", "topic", "partition"), "What retention removed before the group read it."
)
AUDIT = _gauge("audit_intact", "", (), "1 while the audit holds against itself; 0 once something in it was changed.")

# The stream processors
BATCH = _histogram("batch_duration", ("role",), "How long a batch took, from its beginning to its commit.")
TRANSACTIONS = _counter("transactions", "transactions", ("result",), "Transactions of advance: committed, or unclear.")
REJECTED = _counter("entries_rejected", "entries", (), "Journal entries passed over because they cannot be applied.")
INSTANCES = _gauge("open_instances", "instances", ("workflow",), "Open instances in the partitions of this worker.")
TASKS = _gauge("open_tasks", "tasks", ("workflow",), "Tasks of open instances that are not over.")
OVERDUE = _gauge(
    "overdue_tasks", "tasks", ("workflow",),
    "Open tasks that were escalated because a deadline passed, and that nothing has withdrawn.",
)  # fmt: skip
UNCOUNTED = _gauge(
    "uncounted_instances", "instances", (), "Restored instances whose tasks are not counted yet; 0 soon after a start."
)
KEYS = _gauge("keys", "keys", ("partition",), "Correlation keys known, with an open instance or without.")
STATE = _gauge("state_bytes", "bytes", ("partition",), "The size of all snapshots that a partition holds.")
RESTORE = _gauge("restore_progress_ratio", "ratio", ("partition",), "How much of a partition is restored, 0 to 1.")
NEXT_DUE = _gauge(
    "next_due_timestamp_seconds", "seconds", ("partition",),
    "When the next deadline or timer falls due, in actual life; in the past by minutes: time does not come to it.",
)  # fmt: skip

# Notifications
NOTIFICATIONS = _counter(
    "notifications", "notifications", ("channel", "result"),
    "What became of events at a channel: delivered, retried, dead_letters or passed_over.",
)  # fmt: skip
WAITING = _gauge("channel_waiting", "", ("channel",), "1 while a channel waits for its receiver.")

# Exercises
STEP = _gauge("exercise_step", "steps", (), "The newest step of exercise time that was played here.")

ALL: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
