"""``deptbus doctor`` against a broker: a healthy bus is found healthy, and each thing that is broken is found."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.deadletters import TYPE, DeadLetters
from deptbus.examining import AREAS, Examination
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.asking import Broker
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.producer import KafkaSender, TransactionalProducer
from deptbus.operations.findings.finding import Severity
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from deptbus.topics.apply import apply_topics
from tests.broker import ROOT
from tests.bus.files import write_world
from tests.conftest import ScramUser
from tests.operations.reading import commit, put, run, run_json
from tests.ports import free_ports
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world's files."""
    return write_world(tmp_path_factory.mktemp("ground"))


@pytest.fixture
def bus(settings: Settings, ground: Path) -> Settings:
    """A bus of which every topic is there and every schema registered."""
    made = settings.model_copy(update={"root": ground})
    catalogue = load_catalogue(ground, 0)
    apply_topics(Admin(client_configuration(made)), made.world, catalogue, replication=1)
    with bootstrap.open_registry(made) as registry:
        register_schemas(registry, catalogue.schemas, {})
    return made


def kinds(found: Any, area: str) -> dict[str, str]:
    """The kinds of findings in an area, each with what is said in English."""
    return {one["kind"]: one["text"]["en"] for one in found["findings"] if one["area"] == area}


def given_up(settings: Settings, records: Iterable[Record]) -> None:
    """Have lab give records up."""
    catalogue = load_catalogue(settings.root, 0)
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry, {TYPE})
    sender = KafkaSender(producer_configuration(settings), settings.world, 10)
    publisher = Publisher(
        "lab", catalogue, codec, sender, namespace=settings.world, clock=system_clock, ids=random_id, process="tests"
    )
    box = DeadLetters(publisher, "lab", codec.value_bytes_max(TYPE))
    for record in records:
        box.send(record, "handler", "no such hospital", 5).result().require()
    sender.close()


def test_a_healthy_bus_is_found_healthy_in_every_area(bus: Settings) -> None:
    found = run_json(bus, "doctor")
    assert found["healthy"] is True
    assert [area for area in AREAS if "fine" not in kinds(found, area)] == []
    assert "led by 1" in kinds(found, "quorum")["fine"]
    assert "ms" in kinds(found, "clock")["fine"]
    assert "metadata.version" in kinds(found, "versions")["fine"]
    assert "free" in kinds(found, "disk")["fine"]


def test_people_are_told_in_their_language_and_what_to_do(bus: Settings) -> None:
    Admin(client_configuration(bus)).delete(bus.world, ["lab.notes"])
    shown = run(bus, "doctor", "--no-probe", BUS_LANG="zh")
    assert shown.returncode == 3
    assert "尚未创建：lab.notes" in shown.stdout
    assert "deptbus topics apply" in shown.stdout
    assert "\x1b" not in shown.stdout


class TestFindings:
    def test_topics_that_differ_are_named(self, bus: Settings) -> None:
        admin = Admin(client_configuration(bus))
        admin.alter_configs(bus.world, {"ward.cases": {"retention.ms": "1000"}})
        admin.delete(bus.world, ["lab.notes"])
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "topics")
        assert "lab.notes" in found["drift_create"]
        assert "ward.cases" in found["drift_alter"]

    def test_schemas_that_are_not_registered_are_named(self, bus: Settings, tmp_path: Path) -> None:
        root = write_world(tmp_path)
        schema = root / "schemas/lab/NoteWritten/v1.avsc"
        schema.write_text(schema.read_text().replace('"text"', f'"text_{bus.namespace.replace("-", "_")}"'))
        there = bus.model_copy(update={"root": root})
        found = kinds(run_json(there, "doctor", "--no-probe", code=3), "registry")
        assert "lab.NoteWritten v1" in found["missing"]

    def test_a_registry_that_is_down_is_a_finding_and_all_else_is_looked_at(self, bus: Settings) -> None:
        (port,) = free_ports(1)
        there = bus.model_copy(update={"schema_registry_url": f"http://127.0.0.1:{port}/apis/ccompat/v7"})
        found = run_json(there, "doctor", code=3)
        assert "cannot be reached" in kinds(found, "registry")["down"]
        assert "cannot be reached" in kinds(found, "clock")["not_told"]
        assert "fine" in kinds(found, "groups")

    def test_a_group_without_members_that_is_behind_is_found(
        self, bus: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deptbus.operations.findings.bus.EMPTY_AFTER_MS", 0)
        put(bus, "ward.cases", 3)
        commit(bus, "lab", {("ward.cases", 0): 1})
        commit(bus, "zoo", {("ward.cases", 0): 3})
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "groups")
        assert "lab has no members, and 2 unread events in ward.cases" in found["empty"]
        assert found["unknown"] == "1 are no department's: zoo"

    def test_dead_letters_that_nobody_acted_on_are_counted_by_where_they_come_from(self, bus: Settings) -> None:
        given_up(bus, [Record("ward.cases", 0, number, 1, b"k", b"v", []) for number in range(3)])
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "deadletters")
        assert found["some"] == "3 of the last day are open: ward.cases 3"
        first, *others = run_json(bus, "deadletters", "list", "--all")
        assert run(bus, "deadletters", "discard", first["id"], "--reason", "a test").returncode == 0
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "deadletters")
        assert found["some"] == "2 of the last day are open: ward.cases 2"
        for other in others:
            assert run(bus, "deadletters", "discard", other["id"], "--reason", "a test").returncode == 0
        assert "fine" in kinds(run_json(bus, "doctor", "--no-probe"), "deadletters")

    def test_what_cannot_be_read_among_dead_letters_is_told_of(self, bus: Settings) -> None:
        put(bus, "bus.deadletters", 2)
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "deadletters")
        assert found["some"] == "0 of the last day are open; 2 records cannot be read"

    def test_how_many_partitions_an_exercise_chose_is_no_drift(self, bus: Settings) -> None:
        Admin(client_configuration(bus)).add_partitions(bus.world, {"ward.cases": 7})
        assert "fine" in kinds(run_json(bus, "doctor", "--no-probe"), "topics")

    def test_an_open_transaction_that_holds_readers_up_is_found(
        self, bus: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deptbus.operations.findings.cluster.HELD_AFTER_MS", 0)
        producer = TransactionalProducer(producer_configuration(bus), bus.world.physical("tx"))
        producer.init()
        producer.begin()
        producer.send(bus.world.physical("ward.cases"), 2, b"k", b"open")
        wait_until(lambda: producer.poll() or producer.waiting() == 0, "the record to be there")
        found = kinds(run_json(bus, "doctor", "--no-probe", code=3), "partitions")
        assert "ward.cases[2]@0" in found["held"]
        producer.abort()
        producer.close()

    def test_files_that_are_broken_do_not_keep_it_from_looking_at_the_cluster(
        self, bus: Settings, tmp_path: Path
    ) -> None:
        root = write_world(tmp_path)
        (root / "topics/lab.yaml").write_text("owner: lab\ntopics: nonsense\n")
        found = run_json(bus.model_copy(update={"root": root}), "doctor", code=3)
        assert "topics/lab.yaml" in kinds(found, "topics")["not_told"]
        assert "fine" in kinds(found, "brokers")


def test_where_no_broker_answers_it_says_so_in_a_sentence(settings: Settings) -> None:
    (port,) = free_ports(1)
    result = run(settings, "doctor", BUS_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"No Kafka broker answers at 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def secured(settings: Settings, scram: ScramUser) -> Settings:
    """The settings of a client of the listener with SCRAM."""
    return Settings.load(**settings.model_dump(exclude_none=True) | {
        "root": ROOT, "bootstrap_servers": scram.bootstrap_servers, "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512", "sasl_username": scram.name, "sasl_password": scram.password,
    })  # fmt: skip


class TestSecured:
    def test_a_broker_that_asks_for_a_password_is_asked_all_the_same(self, secured: Settings) -> None:
        host, _, port = secured.bootstrap_servers.partition(":")
        with Broker(secured, host, int(port)) as broker:
            assert broker.quorum().leader == 1
            (directory,) = broker.log_dirs()
            assert directory.total_bytes > directory.free_bytes > 0
            assert directory.used_bytes >= 0

    def test_a_wrong_password_is_told(self, secured: Settings) -> None:
        wrong = Settings.load(**secured.model_dump(exclude_none=True) | {"sasl_password": "guess"})
        with pytest.raises(Exception, match="does not let us in; check BUS_SASL_MECHANISM"):
            Broker(wrong, *_address(wrong))


def _address(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.bootstrap_servers.partition(":")
    return host, int(port)


def test_each_area_that_cannot_be_looked_at_is_a_finding(bus: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr("deptbus.examining.Broker", lambda settings, host, _: Broker(settings, host, port))
    found = list(Examination(bus, probe=False).areas())
    told = {one.area for one in found if one.kind == "not_told" and one.severity is Severity.WARNING}
    assert told == {"quorum", "disk", "versions"}
