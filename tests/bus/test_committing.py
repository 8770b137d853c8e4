"""What a member commits, asked for without waiting: a client that answers when it is told to."""

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from deptbus.kafka.committing import Commits

A, B = ("a", 0), ("b", 1)


class Client:
    """Keeps what it is asked to commit, until it answers."""

    def __init__(self) -> None:
        self.commits = Commits()
        self.asked: list[dict[tuple[str, int], int]] = []
        self.refuses: int | None = None

    def commit(self, offsets: list[TopicPartition]) -> None:
        """As the client's."""
        if self.refuses is not None:
            raise KafkaException(KafkaError(self.refuses))
        self.asked.append({(one.topic, one.partition): one.offset for one in offsets})

    def poll(self, timeout_s: float) -> None:
        """Answer everything: it stands."""
        while self.asked:
            self.answer()

    def answer(self, code: int | None = None) -> None:
        """Answer what was asked first."""
        places = [TopicPartition(*place, offset) for place, offset in self.asked.pop(0).items()]
        self.commits.answered(None if code is None else KafkaError(code), places)

    def ask(self, *, at_once: bool = False) -> KafkaError | None:
        return self.commits.ask(self, at_once=at_once)  # type: ignore[arg-type]


def test_one_is_asked_for_at_a_time_and_what_came_meanwhile_next() -> None:
    client = Client()
    client.commits.add({A: 1})
    client.ask()
    client.commits.add({A: 2, B: 7})
    client.ask()
    assert client.asked == [{A: 1}]
    client.answer()
    client.ask()
    assert client.asked == [{A: 2, B: 7}]
    client.answer()
    client.ask()
    assert client.asked == []


def test_before_partitions_go_the_latest_is_asked_for_whatever_is_not_answered() -> None:
    client = Client()
    client.commits.add({A: 1})
    client.ask()
    client.commits.add({A: 2})
    client.ask(at_once=True)
    assert client.asked == [{A: 1}, {A: 2}]


def test_what_passes_by_itself_is_asked_for_again() -> None:
    client = Client()
    client.commits.add({A: 1})
    for code in (KafkaError.REBALANCE_IN_PROGRESS, KafkaError._WAIT_COORD, KafkaError.NOT_COORDINATOR):
        assert client.ask() is None
        client.answer(code)
    client.ask()
    client.asked.clear()
    client.commits.answered(KafkaError(KafkaError._TIMED_OUT), [])
    client.refuses = KafkaError._TRANSPORT
    assert client.ask() is None
    client.refuses = None
    assert client.ask() is None
    assert client.asked == [{A: 1}]


def test_what_does_not_pass_is_told() -> None:
    client = Client()
    client.commits.add({A: 1})
    client.ask()
    client.answer(KafkaError.GROUP_AUTHORIZATION_FAILED)
    refused = client.ask()
    assert refused is not None
    assert refused.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    client.refuses = KafkaError.INVALID_GROUP_ID
    refused = client.ask()
    assert refused is not None
    assert refused.code() == KafkaError.INVALID_GROUP_ID


def test_what_is_somebody_elses_is_not_asked_for() -> None:
    client = Client()
    client.commits.add({A: 1, B: 2})
    client.commits.drop([A])
    client.ask()
    client.commits.drop([B])
    client.answer(KafkaError.ILLEGAL_GENERATION)
    assert client.ask() is None
    assert client.asked == []


def test_who_leaves_waits_until_everything_stands() -> None:
    client = Client()
    client.commits.add({A: 1})
    client.ask()
    client.commits.add({A: 2})
    client.commits.settle(client)  # type: ignore[arg-type]
    assert client.ask() is None
    assert client.asked == []
