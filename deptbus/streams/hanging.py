"""Transactions that are over and have no end in the log, and how their partitions are freed of them.

A broker that is killed between the answer to a commit and its markers, and comes back as the only one, has no leaders
for a moment when it is about to write the markers; it takes the partitions for deleted and forgets them (seen with
Kafka 4.3.1). Readers of committed records then wait at that place for ever. Nobody has seen the records, so they are
given up, and their journal entries are applied again.
"""

from deptbus.kafka.admin import Admin
from deptbus.kafka.producer import TransactionalProducer
from deptbus.namespace import Namespace
from deptbus.streams.wiring import EVENTS, INSTANCES, JOURNAL, TASKS, TIMELINE

_OWN = (TASKS, EVENTS, TIMELINE, INSTANCES)
"""What only the owner of a journal partition writes, to the same partition number."""


def free(producer: TransactionalProducer, admin: Admin, world: Namespace, number: int) -> list[str]:
    """Free what the owner of journal partition ``number`` writes to; the partitions freed, ``<topic>/<number>``.

    ``producer`` was just initialised, so no transaction of its id is open any more. Raises ``TransactionUnclear``.
    """
    stable = admin.end_offsets(world, (*_OWN, JOURNAL))
    ends = admin.end_offsets(world, (*_OWN, JOURNAL), committed=False)
    stuck = {where for where, end in ends.items() if stable[where] < end}
    own = {(topic, number) for topic in _OWN} & stuck
    if not own:  # others have transactions in the journal too; ours also wrote to a topic of its own
        return []
    places = sorted(own | {where for where in stuck if where[0] == JOURNAL})
    producer.void((world.physical(topic), partition) for topic, partition in places)
    return [f"{topic}/{partition}" for topic, partition in places]
