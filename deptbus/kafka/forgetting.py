"""Clients that hear nothing any more, and will not: see docs/decisions/0028.

Some have forgotten every broker, others wait for a place in their group without having asked for one. They are told
from those whose broker is away, and from those to whom nothing was said, by asking; another takes their place.
"""

import threading

from confluent_kafka import Consumer, KafkaException

from deptbus.kafka.configuration import Configuration

QUIET_S = 10.0
"""A client that has heard nothing for so long is looked at, in seconds."""
PLACE_S = 15.0
"""A member that has waited so long for its place, though it sees its topics, has not asked for it, in seconds."""
_SEE_S = 5.0
"""How long a broker may take to be seen, in seconds."""
_CLOSE_S = 15.0
"""How long closing may take, in seconds."""


def is_cut_off(client: Consumer, configuration: Configuration, topic: str) -> bool:
    """Whether a client does not see a physical topic that another client of the same configuration does see."""
    if sees(client, topic):
        return False
    other = Consumer(configuration)
    try:
        return sees(other, topic) and not sees(client, topic)  # for the broker may just have come back
    finally:
        other.close()


def let_go(client: Consumer, wait_s: float = _CLOSE_S) -> None:
    """Close a client, in a thread of its own that keeps no process from ending: one that is cut off may never be."""
    closing = threading.Thread(target=client.close, name="bus-let-go", daemon=True)
    closing.start()
    closing.join(wait_s)


def sees(client: Consumer, topic: str) -> bool:
    """Whether a client sees a physical topic now."""
    try:
        found = client.list_topics(topic, _SEE_S).topics[topic]
    except KafkaException:
        return False
    return found.error is None
