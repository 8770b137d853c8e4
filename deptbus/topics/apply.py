"""Makes a cluster as ``topics/`` says, and reads back that it is."""

import time
from collections.abc import Callable

from deptbus.catalogue import Catalogue, refuse_lapsed
from deptbus.errors import TopicError
from deptbus.kafka.admin import Admin
from deptbus.namespace import Namespace
from deptbus.topics.plan import Action, Plan, plan

READ_BACK_S = 30
"""How long the cluster may take to show what was applied, in seconds."""
_POLL_S = 0.05


def plan_topics(
    admin: Admin,
    namespace: Namespace,
    catalogue: Catalogue,
    *,
    allow_delete: bool = False,
    replication: int | None = None,
) -> Plan:
    """What ``apply_topics`` would do. ``TopicError`` for a lapsed grant, ``ClusterUnreachable``."""
    refuse_lapsed(catalogue)
    return plan(catalogue.topics.values(), admin.topics(namespace), allow_delete=allow_delete, replication=replication)


def apply_topics(
    admin: Admin,
    namespace: Namespace,
    catalogue: Catalogue,
    *,
    allow_delete: bool = False,
    replication: int | None = None,
) -> Plan:
    """Create, alter and (if allowed) delete topics until files and cluster agree; answers what was done.

    Nothing is done when any part is refused. ``TopicError`` says what and why, or that the cluster does not
    show what was applied.
    """

    def difference() -> Plan:
        return plan_topics(admin, namespace, catalogue, allow_delete=allow_delete, replication=replication)

    todo = difference()
    todo.refuse()
    admin.create(namespace, [change.target for change in todo.of(Action.CREATE) if change.target])
    altered = todo.of(Action.ALTER)
    settings: dict[str, dict[str, str]] = {}
    for change in altered:
        if change.target and change.setting != "partitions":
            settings.setdefault(change.topic, {})[change.setting] = change.target.configs[change.setting]
    admin.alter_configs(namespace, settings)
    admin.add_partitions(
        namespace,
        {
            change.topic: change.target.partitions
            for change in altered
            if change.target and change.setting == "partitions"
        },
    )
    admin.delete(namespace, [change.topic for change in todo.of(Action.DELETE)])
    if todo.drift:
        _read_back(difference)
    return todo


def _read_back(difference: Callable[[], Plan]) -> None:
    limit = time.monotonic() + READ_BACK_S
    while (left := difference()).drift:
        if time.monotonic() > limit:
            raise TopicError(
                f"The cluster took the changes but does not show them after {READ_BACK_S} s: "
                f"{left.changes[0].topic}: {left.changes[0].detail}; look at the brokers' logs."
            )
        time.sleep(_POLL_S)
