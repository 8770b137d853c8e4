"""The recorder on Kafka, alone and against others."""

import subprocess
import sys
from typing import Any

import pytest

from deptbus import bootstrap
from deptbus.catalogue import Catalogue
from deptbus.codec import Codec
from deptbus.errors import AuditRefused, ClusterUnreachable, NotFound, TransactionFenced, TransactionUnclear
from deptbus.kafka.admin import Admin
from deptbus.kafka.auditlog import TRANSACTIONAL_ID, KafkaAuditLog
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.producer import KafkaSender, TransactionalProducer
from deptbus.operations.acts import TOPIC, ActReader
from deptbus.operations.audit import Auditor
from deptbus.operations.chain import Head
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.operations.auditing import AuditContract, Open, acts

pytestmark = pytest.mark.kafka


class TestOnKafka(AuditContract):
    @pytest.fixture
    def open_auditor(self, kafka_auditor: Open) -> Open:
        return kafka_auditor


APPENDER = """
import sys
from deptbus import bootstrap
from deptbus.settings import Settings

with bootstrap.open_auditor(Settings.load()) as auditor:
    for number in range(int(sys.argv[2])):
        auditor.record("topics.apply", f"{sys.argv[1]}-{number}")
"""
PROCESSES, ACTS = 4, 5


def test_processes_that_append_at_once_make_one_chain_without_gaps(
    stack: SharedStack, audited: Settings, kafka_auditor: Open
) -> None:
    environment = stack.environment(BUS_NAMESPACE=audited.namespace, BUS_RUN_DIR=str(audited.run_dir))
    running = [
        subprocess.Popen([sys.executable, "-c", APPENDER, f"p{number}", str(ACTS)], env=environment)
        for number in range(PROCESSES)
    ]
    assert [process.wait(120) for process in running] == [0] * PROCESSES
    with kafka_auditor() as auditor:
        found = acts(auditor)
        assert auditor.verify().findings == ()
    assert [act.data["number"] for act in found] == list(range(1, PROCESSES * ACTS + 1))
    assert {act.data["target"] for act in found} == {f"p{p}-{n}" for p in range(PROCESSES) for n in range(ACTS)}


KILLED = """
import os, signal
from deptbus import bootstrap
from deptbus.settings import Settings

with bootstrap.open_auditor(Settings.load()) as auditor, auditor.act("replay.run", "health.cases"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_act_whose_process_is_killed_stands_there_without_an_end(
    stack: SharedStack, audited: Settings, kafka_auditor: Open
) -> None:
    environment = stack.environment(BUS_NAMESPACE=audited.namespace, BUS_RUN_DIR=str(audited.run_dir))
    assert subprocess.run([sys.executable, "-c", KILLED], env=environment, timeout=120, check=False).returncode == -9
    with kafka_auditor() as auditor:
        auditor.record("topics.apply", "after")
        assert [act.data["outcome"] for act in acts(auditor)] == ["started", "done"]
        assert auditor.verify().findings == ()
    assert [head.number for head in bootstrap.open_heads(audited).seen()] == [1, 2]


def test_recorders_that_take_turns_in_one_process_make_one_chain(kafka_auditor: Open) -> None:
    with kafka_auditor() as one, kafka_auditor() as other:
        for number in range(3):
            one.record("topics.apply", f"one-{number}")
            other.record("topics.apply", f"other-{number}")
        assert one.verify().acts == 6
        assert one.verify().findings == ()


def test_a_recorder_that_was_overtaken_before_its_commit_begins_anew(
    kafka_auditor: Open, audited: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another appends between the reading of the head and the record that was made of it."""
    with kafka_auditor() as slow, kafka_auditor() as quick:
        original, overtaken = TransactionalProducer.begin, []

        def begin(producer: TransactionalProducer) -> None:
            if not overtaken:
                overtaken.append(producer)
                quick.record("topics.apply", "quick")
            original(producer)

        monkeypatch.setattr(TransactionalProducer, "begin", begin)
        said = slow.record("topics.apply", "slow")
        assert said.head.number == 2
        assert [act.data["target"] for act in acts(slow)] == ["quick", "slow"]
        assert slow.verify().findings == ()


def test_a_commit_whose_answer_was_lost_is_not_repeated(kafka_auditor: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with kafka_auditor() as auditor:
        auditor.record("topics.apply", "before")
        original = TransactionalProducer.commit

        def commit(producer: TransactionalProducer) -> None:
            original(producer)
            monkeypatch.setattr(TransactionalProducer, "commit", original)
            raise TransactionUnclear("the answer is lost")

        monkeypatch.setattr(TransactionalProducer, "commit", commit)
        said = auditor.record("topics.apply", "once")
        found = acts(auditor)
        assert [act.data["target"] for act in found] == ["before", "once"]
        assert (found[1].head, found[1].offset, found[1].record.timestamp_ms) == (
            said.head, said.offset, said.timestamp_ms,
        )  # fmt: skip
        auditor.record("topics.apply", "after")
        assert auditor.verify().findings == ()


def test_what_a_killed_recorder_left_open_is_ended_by_the_next(kafka_auditor: Open, audited: Settings) -> None:
    world = audited.world
    dead = TransactionalProducer(producer_configuration(audited), world.physical(TRANSACTIONAL_ID))
    dead.init()
    dead.begin()
    dead.send(world.physical(TOPIC), 0, b"k", b"v")
    with kafka_auditor() as auditor:
        auditor.record("topics.apply", "after")
        assert [act.data["number"] for act in acts(auditor)] == [1]
    dead.close()


@pytest.fixture
def impatient(audited: Settings, audit_codec: Codec, catalogue: Catalogue) -> Auditor:
    """A recorder that gives up soon."""
    reader = ActReader(audit_codec)
    return bootstrap.make_auditor(
        KafkaAuditLog(audited, reader.read, limit_s=0.5), catalogue, audit_codec, reader, audited.world,
        owner="bus", process=None, operator="chen", clock=lambda: 0, ids=lambda: "0" * 32,
    )  # fmt: skip


def test_a_recorder_that_is_always_overtaken_gives_up_in_words(
    impatient: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(producer: TransactionalProducer) -> None:
        raise TransactionFenced("another process has taken it over")

    monkeypatch.setattr(TransactionalProducer, "begin", begin)
    with impatient, pytest.raises(AuditRefused, match=r"not certain .* could not be appended to"):
        impatient.record("topics.apply", "t")


def test_behind_another_programs_open_transaction_nothing_is_appended(audited: Settings, impatient: Auditor) -> None:
    world = audited.world
    other = TransactionalProducer(producer_configuration(audited), world.physical("not-the-audit"))
    other.init()
    other.begin()
    other.send(world.physical(TOPIC), 0, b"k", b"v")
    other.poll()
    other._producer.flush(10)
    with impatient, pytest.raises(AuditRefused, match=r"is open on bus\.audit at offset 0"):
        impatient.record("topics.apply", "t")
    other.close()


def test_a_long_log_is_not_read_to_append_to_it(kafka_auditor: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with kafka_auditor() as auditor:
        for number in range(40):
            auditor.record("topics.apply", str(number))
    read: list[int] = []
    original = KafkaAuditLog._between

    def between(log: KafkaAuditLog, start: int, end: int) -> Any:
        read.append(end - start)
        return original(log, start, end)

    monkeypatch.setattr(KafkaAuditLog, "_between", between)
    with kafka_auditor() as auditor:
        assert auditor.record("topics.apply", "last").head.number == 41
    assert read == [32]


def test_a_record_that_others_put_there_is_told_and_stops_nobody(kafka_auditor: Open, audited: Settings) -> None:
    sender = KafkaSender(producer_configuration(audited), audited.world, 30)
    with kafka_auditor() as auditor:
        auditor.record("topics.apply", "one")
        placed = sender.send(TOPIC, b"k", b"forged", [("ce_type", b"bus.ActAudited")], "id").result().require()
    with kafka_auditor() as auditor:
        auditor.record("topics.apply", "two")
        (finding,) = auditor.verify().findings
    assert (finding.code, finding.offset) == ("foreign", placed.offset)
    sender.close()


def test_without_a_topic_or_a_broker_it_says_so(settings: Settings, catalogue: Catalogue, audit_codec: Codec) -> None:
    with bootstrap.open_auditor(settings, catalogue, audit_codec) as auditor, pytest.raises(NotFound, match="apply"):
        auditor.record("topics.apply", "t")
    away = settings.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    with (
        bootstrap.open_auditor(away, catalogue, audit_codec) as auditor,
        pytest.raises(ClusterUnreachable, match="deptbus up"),
    ):
        auditor.record("topics.apply", "t")


def test_a_machine_keeps_the_heads_that_it_has_seen(kafka_auditor: Open, audited: Settings) -> None:
    with kafka_auditor() as auditor:
        heads = [auditor.record("topics.apply", str(number)).head for number in range(3)]
    assert bootstrap.open_heads(audited).seen() == heads


def test_a_topic_that_was_made_anew_is_another(kafka_auditor: Open, audited: Settings, catalogue: Catalogue) -> None:
    with kafka_auditor() as auditor:
        last = auditor.record("topics.apply", "t").head
    before = bootstrap.open_heads(audited)
    admin = Admin(client_configuration(audited))
    admin.delete(audited.world, [TOPIC])
    admin.create_namespace_topics(audited.world, [catalogue.topic(TOPIC)])
    after = bootstrap.open_heads(audited)
    assert (after.seen(), after.elsewhere()) == ([], (before.path, last))
    after.keep(Head(7, "a" * 64))
    with after.path.open("a") as file:
        file.write("8:abc")  # a line cut short
    assert after.seen() == [Head(7, "a" * 64)]
