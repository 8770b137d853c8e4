"""Packs come into force through every partition of the journal, once, and go out of force again."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import from_iso
from deptbus.errors import DefinitionError, NotFound, PackRefused, PublishFailed
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.outcome import Outcome, Pending
from deptbus.packs import Packs
from deptbus.registry import connect_registry
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from deptbus.topics.apply import apply_topics
from deptbus.workflow.activation import InForce, activate, in_force, packs_in_force, retire, with_not_before
from deptbus.workflow.load import load_workflow
from deptbus.workflow.pack import Pack
from tests.broker import SharedStack

ROOT = Path(__file__).parents[2]
AT = from_iso("2020-01-20T00:00:00+08:00")


@cache
def catalogue() -> Catalogue:
    return load_catalogue(ROOT, 0)


@cache
def epidemic(version: int = 1) -> Pack:
    content = load_workflow(ROOT, "epidemic", catalogue())
    definition = content.definition.model_copy(update={"version": version})
    return Pack(content.model_copy(update={"definition": definition}))


@dataclass
class Wire:
    """A ``PackPublisher`` that keeps what it is given; the publish number ``fails_at`` fails."""

    partitions: int = 4
    fails_at: int = -1
    journal: list[tuple[int, str, Mapping[str, Any]]] = field(default_factory=list)
    packs: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def poll(self, timeout_s: float) -> None:
        """Everything is answered at once."""

    def publish(
        self, event_type: str, data: Mapping[str, Any], *, subject: str, event_id: str, time_ms: int
    ) -> Pending:
        assert (subject, time_ms) == (data["workflow"], AT)
        self.packs.append((event_type, data))
        return self._answer("bus.packs", event_id)

    def append(self, data: Mapping[str, Any], *, key: str, partition: int, event_id: str, time_ms: int) -> Pending:
        self.journal.append((partition, key, data["entry"]))
        return self._answer("workflow.journal", event_id)

    def _answer(self, topic: str, event_id: str) -> Pending:
        pending = Pending(self, topic, event_id)
        failed = len(self.ids) == self.fails_at
        self.ids.append(event_id)
        self.order.append(topic)
        pending.settle(Outcome("failed" if failed else "acknowledged", event_id, topic))
        return pending

    def state(self) -> InForce:
        return in_force(self.packs)


def test_activation_reaches_every_partition_and_then_the_packs() -> None:
    wire, pack = Wire(), epidemic()
    assert activate(wire, pack, wire.state(), at_ms=AT)
    assert wire.order == ["workflow.journal"] * 4 + ["bus.packs"]
    assert [partition for partition, _, _ in wire.journal] == [0, 1, 2, 3]
    for _, key, entry in wire.journal:
        assert key == "@pack"
        assert (entry["kind"], entry["at"], entry["workflow"], entry["key"]) == ("activation", AT, "epidemic", "")
        assert Pack.from_bytes(entry["body"]).hash == entry["pack"] == pack.hash
    assert len(set(wire.ids)) == 5
    assert list(packs_in_force(wire.packs)) == [pack.hash]


def test_what_is_in_force_is_not_activated_again() -> None:
    wire = Wire()
    activate(wire, epidemic(), wire.state(), at_ms=AT)
    assert not activate(wire, epidemic(), wire.state(), at_ms=AT)
    assert len(wire.ids) == 5


def test_an_activation_cut_short_is_done_again_under_the_same_ids() -> None:
    wire = Wire(fails_at=4)
    with pytest.raises(PublishFailed):
        activate(wire, epidemic(), InForce({}, {}), at_ms=AT)
    again = Wire()
    activate(again, epidemic(), InForce({}, {}), at_ms=AT)
    assert again.ids == wire.ids


def test_nothing_comes_into_force_before_the_journal_has_it() -> None:
    wire = Wire(fails_at=2)
    with pytest.raises(PublishFailed):
        activate(wire, epidemic(), wire.state(), at_ms=AT)
    assert wire.packs == []


def test_a_new_version_opens_and_the_old_one_stays_in_force() -> None:
    wire = Wire()
    activate(wire, epidemic(1), wire.state(), at_ms=AT)
    activate(wire, epidemic(2), wire.state(), at_ms=AT)
    assert [pack.version for pack in wire.state().of("epidemic")] == [1, 2]
    assert wire.state().opening["epidemic"].version == 2


def test_other_content_under_the_same_version_is_refused() -> None:
    wire = Wire()
    activate(wire, epidemic(), wire.state(), at_ms=AT)
    other = Pack(with_not_before(epidemic().content, "quiet", "2020-02-29T00:00:00+08:00"))
    with pytest.raises(PackRefused, match="raise `version` to 2"):
        activate(wire, other, wire.state(), at_ms=AT)
    assert len(wire.packs) == 1


def test_retirement_ends_what_opens() -> None:
    wire = Wire()
    activate(wire, epidemic(), wire.state(), at_ms=AT)
    retire(wire, epidemic(), wire.state(), [], reason="the drill is over", at_ms=AT)
    kinds = [(entry["kind"], entry["reason"], entry["body"]) for _, _, entry in wire.journal[4:]]
    assert kinds == [("retirement", "the drill is over", None)] * 4
    assert packs_in_force(wire.packs) == {}
    assert wire.state().opening == {}
    assert activate(wire, epidemic(), wire.state(), at_ms=AT)
    assert len(set(wire.ids)) == 15


def test_a_pack_with_open_instances_is_not_retired() -> None:
    wire = Wire()
    activate(wire, epidemic(), wire.state(), at_ms=AT)
    running = [{"instance": "epidemic/440300/1", "status": "open", "pack": epidemic().hash}]
    with pytest.raises(PackRefused, match="1 open instance "):
        retire(wire, epidemic(), wire.state(), running, reason="", at_ms=AT)


def test_what_is_not_in_force_is_not_retired() -> None:
    with pytest.raises(NotFound, match="is not in force"):
        retire(Wire(), epidemic(), InForce({}, {}), [], reason="", at_ms=AT)


@pytest.mark.parametrize(
    ("timer", "time", "sentence"),
    [
        ("loud", "2020-02-29T00:00:00+08:00", "epidemic has no timer loud; its timers: quiet"),
        ("quiet", "tomorrow", "'tomorrow' is no time with a zone"),
    ],
)
def test_not_before_must_make_sense(timer: str, time: str, sentence: str) -> None:
    with pytest.raises(DefinitionError, match=sentence):
        with_not_before(epidemic().content, timer, time)


@pytest.fixture
def world(settings: Settings) -> Settings:
    """A namespace with its topics, and a registry with all schemas."""
    known = catalogue()
    levels = {name: known.topic_of(name).compatibility for name in known.schemas.types()}
    with connect_registry(settings) as registry:
        register_schemas(registry, known.schemas, levels)
    apply_topics(Admin(client_configuration(settings)), settings.world, known)
    return settings


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


@pytest.fixture
def run_command(stack: SharedStack, world: Settings) -> Callable[..., Ran]:
    """Runs ``deptbus`` in the test's world."""
    environment = stack.environment(BUS_NAMESPACE=world.namespace, NO_COLOR="1", PYTHONPATH=str(ROOT))

    def run(*arguments: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "deptbus", *arguments],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.kafka
def test_activation_on_a_cluster(world: Settings) -> None:
    pack = epidemic()
    with Packs(world) as packs:
        assert packs.in_force().packs == {}
        assert packs.activate(pack, AT)
        assert not packs.activate(pack, AT)
        assert list(packs.in_force().packs) == [pack.hash]
        assert packs.running("epidemic") == []
        packs.retire(pack, "the test is over", AT)
        assert packs.in_force().packs == {}
    records = list(read_topic(reader_configuration(world), world.world.physical("workflow.journal")))
    assert sorted(record.partition for record in records) == sorted([*range(4)] * 2)
    assert {record.key for record in records} == {b"@pack"}


@pytest.mark.kafka
def test_commands_bring_a_workflow_into_force(world: Settings, run_command: Callable[..., Ran]) -> None:
    first = run_command("workflows", "activate", "epidemic", "--at", "2020-01-20T00:00:00+08:00", "--json")
    again = run_command("workflows", "activate", "epidemic", "--at", "2020-01-20T00:00:00+08:00", "--json")
    assert (first.json["activated"], again.json["activated"]) == (True, False)
    checked = run_command("workflows", "check", "--json")
    assert checked.json["compared"] is True
    assert checked.json["problems"] == []
    refused = run_command("workflows", "activate", "epidemic", "--not-before", "quiet=2020-02-29T00:00:00+08:00")
    assert refused.code == 2
    assert "raise `version` to 2" in refused.error
    assert run_command("workflows", "retire", "epidemic", "--reason", "over").code == 0
    gone = run_command("workflows", "retire", "epidemic", "--reason", "over")
    assert (gone.code, "is not in force" in gone.error) == (2, True)
