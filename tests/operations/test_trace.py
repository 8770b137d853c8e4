"""``deptbus trace`` as a person runs it: on a broker, with the engine in memory behind it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from rich.text import Text

from deptbus.cli import output
from deptbus.deadletters import TYPE as DEAD
from deptbus.deadletters import DeadLetters
from deptbus.health import health_path, read_health
from deptbus.kafka.configuration import consumer_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.kafka.ends import end_offsets
from deptbus.operations.lineage.index import Index, writing
from deptbus.operations.lineage.indexing import index_path
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.command.conftest import Run, broker, engine, run  # noqa: F401  # fixtures
from tests.command.engine import Engine
from tests.command.projecting import INSTANCE, REGION
from tests.waiting import wait_until

CASES = "health.CasesConfirmed"
TOPIC = "health.cases"

pytestmark = pytest.mark.kafka


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index lies."""
    monkeypatch.setenv("BUS_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def opener(engine: Engine, place: Path, run: Run) -> str:  # noqa: F811
    """An incident that asks for two tasks, one of them acknowledged; the event that opened it."""
    engine.broker.publish([REGION], count=10, legal_basis="law 1", actor="李伟")
    engine.settle()
    tasks = run("desk", "list", "--as", "health", "--json").json()
    (verify,) = [task["short"] for task in tasks if task["step"] == "verify"]
    assert run("desk", "ack", verify, "--as", "health", "--officer", "Li Wei").code == 0
    engine.settle()
    ((event, _, _),) = engine.broker.read(TOPIC)
    return dict(event.headers)["ce_id"].decode()


def flat(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every event of a chain as programs get it."""
    return [one for node in nodes for one in (node, *flat(node["effects"]), *flat(node["letters"]))]


def handle(settings: Settings, group: str, offset: int, partition: int) -> None:
    """Commit an offset of a group on the cases."""
    world = settings.world
    consumer = Consumer(consumer_configuration(settings, world.physical(group)))
    consumer.commit(offsets=[TopicPartition(world.physical(TOPIC), partition, offset)], asynchronous=False)
    consumer.close()


def test_the_chain_of_an_event_goes_from_its_first_cause_to_the_last_answer(run: Run, opener: str) -> None:  # noqa: F811
    chain = run("trace", opener, "--json").json()
    (root,) = chain["chain"]
    assert (root["id"], root["type"], root["department"], root["basis"]) == (opener, CASES, "health", "law 1")
    assert (root["opened"], root["topic"], root["asked"], root["latency_ms"]) == ([INSTANCE], TOPIC, True, None)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for node in root["effects"]:
        by_type.setdefault(node["type"], []).append(node)
    assert {"workflow.InstanceOpened", "workflow.TaskRequested", "workflow.TimelineRecorded"} <= by_type.keys()
    (answered,) = [task for task in by_type["workflow.TaskRequested"] if task["effects"]]
    assert answered["instance"] == INSTANCE
    assert answered["latency_ms"] >= 0
    (answer,) = answered["effects"]
    assert (answer["type"], answer["topic"], answer["department"]) == ("health.TaskAnswered", "health.tasks", "health")
    assert [node["type"] for node in answer["effects"]] == ["workflow.TimelineRecorded"]
    # From its end, by the first digits of its id, it is the same chain.
    up = run("trace", answer["id"][:13], "--json").json()["chain"]
    assert [node["id"] for node in flat(up)[:2]] == [opener, up[0]["effects"][0]["id"]]
    (asked,) = [node for node in flat(up) if node["asked"]]
    assert asked["id"] == answer["id"]


def test_an_instance_is_traced_with_the_event_that_opened_it(run: Run, opener: str) -> None:  # noqa: F811
    chain = run("trace", "--instance", INSTANCE, "--json").json()
    assert chain["chain"][0]["id"] == opener
    assert {node["instance"] for node in flat(chain["chain"][0]["effects"])} == {INSTANCE}
    assert run("trace", "--instance", INSTANCE.rpartition("/")[0], "--json").json() == chain


def test_who_handled_it_and_where_it_failed(run: Run, opener: str, engine: Engine) -> None:  # noqa: F811
    settings = engine.broker.settings
    ((record, _, _),) = engine.broker.read(TOPIC)
    handle(settings, "correlate", record.offset + 1, record.partition)
    handle(settings, "cdc", record.offset + 1, record.partition)
    handle(settings, "hospitals", record.offset, record.partition)
    letters = DeadLetters(engine.broker.publisher("hospitals"), "police", engine.broker.codec.value_bytes_max(DEAD))
    letters.send(record, "handler", "no such ward", 3).result().require()
    handle(settings, "police", record.offset + 1, record.partition)
    (root,) = run("trace", opener, "--json").json()["chain"]
    assert root["handled_by"] == ["cdc", "correlate"]
    assert root["waiting_for"] == ["hospitals"]
    (failed,) = root["failed"]
    assert (failed["group"], failed["reason"], failed["message"]) == ("police", "handler", "no such ward")
    assert [letter["type"] for letter in root["letters"]] == [DEAD]
    shown = run("trace", opener).out
    assert "handled by 疾病预防控制" in shown or "(cdc), correlate" in shown
    assert "failed in" in shown
    assert "handler: no such ward" in shown


def test_the_tree_fits_a_terminal_of_80_columns_in_both_languages(
    run: Run, opener: str, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setattr(output, "out", output.Console(width=80, force_terminal=True, highlight=False))
    english, chinese = run("trace", opener).out, run("trace", opener, BUS_LANG="zh").out
    for text in (english, chinese):
        assert max(map(cells, text.splitlines())) <= 80
        assert "workflow.TaskRequested" in text
        assert "\x1b[3" not in text  # NO_COLOR
    assert f"opened {INSTANCE}" in english
    assert f"启动 {INSTANCE}" in chinese
    assert "李伟" not in english  # who acted is personal


def cells(line: str) -> int:
    return Text.from_ansi(line).cell_len


def test_the_graph_is_mermaid(run: Run, opener: str, tmp_path: Path) -> None:  # noqa: F811
    drawn = run("trace", opener, "--graph", "-").out
    assert drawn.startswith("flowchart TD\n")
    assert CASES in drawn
    assert '-->|"' in drawn
    assert run("trace", opener, "--graph", str(tmp_path / "chain.mmd"), "--json").code == 0
    assert (tmp_path / "chain.mmd").read_text() == drawn


def test_the_index_takes_what_is_new_and_can_be_deleted_or_broken(
    run: Run, opener: str, engine: Engine, place: Path  # noqa: F811
) -> None:  # fmt: skip
    settings = engine.broker.settings.model_copy(update={"run_dir": place})
    path = index_path(settings)
    before = run("trace", opener, "--json").json()
    index = Index(path)
    held = sum(
        1 for topic in engine.broker.catalogue.topics if topic not in ("workflow.instances", "bus.progress")
        for _ in read_topic(reader_configuration(settings), settings.world.physical(topic))
    )  # fmt: skip
    assert index.count() == held
    engine.broker.publish([REGION], count=2)
    engine.settle()
    assert len(flat(run("trace", "--instance", INSTANCE, "--json").json()["chain"])) > len(flat(before["chain"]))
    assert index.count() > held
    index.close()
    path.unlink()
    assert run("trace", opener, "--json").json()["chain"][0]["id"] == opener
    path.write_bytes(b"this is no database, however long it is" * 1_000)
    assert run("trace", opener, "--json").json()["chain"][0]["id"] == opener


def test_a_topic_that_was_made_anew_is_read_anew(run: Run, opener: str, engine: Engine) -> None:  # noqa: F811
    assert run("trace", opener, "--json").code == 0
    world, topic = engine.broker.settings.world, engine.broker.catalogue.topic(TOPIC)
    engine.broker.admin.delete(world, [TOPIC])
    engine.broker.admin.create_namespace_topics(world, [topic])
    assert run("trace", opener).code == 2
    engine.broker.publish([REGION])
    ((record, _, _),) = engine.broker.read(TOPIC)
    assert run("trace", dict(record.headers)["ce_id"].decode(), "--json").json()["chain"][0]["offset"] == record.offset


def test_a_process_keeps_the_index_current_and_a_trace_waits_for_it(
    run: Run, opener: str, engine: Engine, stack: SharedStack, place: Path  # noqa: F811
) -> None:  # fmt: skip
    settings = engine.broker.settings.model_copy(update={"run_dir": place})
    environment = stack.environment(BUS_NAMESPACE=settings.namespace, BUS_RUN_DIR=str(place))
    keeper = subprocess.Popen(
        [sys.executable, "-m", "deptbus", "run", "lineage"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: read_health(health_path(settings, "lineage"), 0)[1]["state"] == "working", "it to work")
        ends = sum(end_offsets(reader_configuration(settings), settings.world.physical("workflow.tasks")).values())
        assert sum(end for (topic, _), (_, end) in _reached(settings).items() if topic == "workflow.tasks") == ends
        with writing(index_path(settings)) as free:  # or between two looks of the keeper
            engine.broker.publish([REGION])
            engine.settle()
            newest = dict(engine.broker.read(TOPIC)[-1][0].headers)["ce_id"].decode()
        assert free in (True, False)
        assert run("trace", newest, "--json").json()["chain"]
    finally:
        keeper.terminate()
        assert keeper.wait(20) == 0


def _reached(settings: Settings) -> dict[tuple[str, int], tuple[int, int]]:
    index = Index(index_path(settings))
    try:
        return index.reached()
    finally:
        index.close()


def test_what_is_asked_wrongly_is_told_in_one_sentence(run: Run, engine: Engine, place: Path) -> None:  # noqa: F811
    for arguments, sentence in [
        ((), "Name either an event"),
        (("0190a5c0", "--instance", INSTANCE), "Name either an event"),
        (("0190a5c0-0000-7000-8000-00000000000a",), "There is no event 0190a5c0-0000-7000-8000-00000000000a on any"),
        (("nonsense",), "There is no event nonsense on any topic"),
        (("--instance", "epidemic/440100/9"), "There is no instance epidemic/440100/9"),
        (("00", "--graph", "-", "--json"), "both want standard output"),
        (("00", "--limit", "0"), "Invalid value for '--limit'"),
    ]:
        ran = run("trace", *arguments, COLUMNS="200")
        assert (ran.code, ran.out) == (2, "")
        assert sentence in ran.err
        assert "Traceback" not in ran.err
    (place / "file").write_text("")
    ran = run("trace", "00", BUS_RUN_DIR=str(place / "file"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert run("trace", "00", BUS_BOOTSTRAP_SERVERS="127.0.0.1:1").err.startswith("error: No Kafka broker answers")
