"""``deptbus audit`` as operators run it, and what it finds of what was done to the log itself."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from deptbus import bootstrap
from deptbus.catalogue import Catalogue
from deptbus.errors import NotFound
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.producer import KafkaSender
from deptbus.operations.acts import TOPIC
from deptbus.operations.chain import Head
from deptbus.operations.verifying import verify
from deptbus.record import Record
from deptbus.settings import Settings
from tests.command.conftest import Run, run  # noqa: F401  # a fixture
from tests.operations.auditing import Open, acts

pytestmark = pytest.mark.kafka

ACTS = 5


@pytest.fixture
def command(run: Run, audited: Settings) -> Run:  # noqa: F811
    """Runs ``deptbus audit`` on this test's machine."""
    return lambda *arguments, **given: run("audit", *arguments, BUS_RUN_DIR=str(audited.run_dir), **given)


@pytest.fixture
def recorded(kafka_auditor: Open) -> Head:
    """Acts of two operators; the chain's head."""
    with kafka_auditor(operator="chen") as auditor:
        auditor.record("topics.apply", "health.cases cdc.tasks", "more room")
        with auditor.act("packs.activate", "epidemic@2", detail={"pack": "abc"}) as act:
            act.detail(entries=4)
        auditor.record("replay", "health.cases", outcome="started")
        return auditor.record("packs.retire", "epidemic@1", "old", operator="li").head


def listed(command: Run, *arguments: str) -> list[Any]:
    found: list[Any] = command("list", "--json", *arguments).json()
    return found


def test_an_act_is_one_line_with_its_end(command: Run, recorded: Head) -> None:
    found = listed(command)
    assert [(act["number"], act["end_number"], act["act"], act["outcome"]) for act in found] == [
        (1, None, "topics.apply", "done"), (2, 3, "packs.activate", "done"), (4, None, "replay", "started"),
        (5, None, "packs.retire", "done"),
    ]  # fmt: skip
    assert found[1]["detail"] == {"pack": "abc", "entries": "4"}
    assert str(recorded) == f"5:{found[3]['records'][0]['hash']}"


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (("--act", "packs"), [2, 5]), (("--act", "packs.retire", "--act", "replay"), [4, 5]),
        (("--operator", "li"), [5]), (("--target", "health.cases"), [1, 4]), (("--limit", "2"), [4, 5]),
        (("--until", "2020-01-01T00:00+08:00"), []), (("--since", "2020-01-01T00:00+08:00", "--act", "topics"), [1]),
    ],
)  # fmt: skip
def test_acts_are_found_by_what_who_where_and_when(
    command: Run, recorded: Head, arguments: tuple[str, ...], numbers: list[int]
) -> None:
    assert [act["number"] for act in listed(command, *arguments)] == numbers


def test_people_read_it_in_their_language(command: Run, recorded: Head) -> None:
    assert "no end" in command("list").out
    assert "未结束" in command("list", BUS_LANG="zh").out
    shown = command("show", "3").out
    assert "operator: chen" in shown
    assert "entries: 4" in shown
    assert "操作员: chen" in command("show", "2", BUS_LANG="zh").out
    assert command("list", "--operator", "nobody").err == "No act on record is meant.\n"


def test_an_act_is_shown_by_its_number_or_its_id(command: Run, recorded: Head) -> None:
    by_number = command("show", "2", "--json").json()
    assert command("show", by_number["id"], "--json").json() == by_number
    missing = command("show", "99")
    assert (missing.code, missing.err) == (
        2,
        "error: No act has the number or id 99; `deptbus audit list` shows them.\n",
    )


def test_a_whole_log_ends_with_0_and_tells_its_head(command: Run, recorded: Head) -> None:
    done = command("verify", "--head", str(recorded))
    assert (done.code, done.out, done.err) == (0, f"head {recorded}\n", "The audit is whole: 5 records.\n")
    assert command("verify", "--json").json() == {
        "whole": True, "acts": 5, "head": str(recorded), "findings": [], "found": 0,
    }  # fmt: skip
    assert "审计日志完整：5 条记录。" in command("verify", BUS_LANG="zh").err
    wrong = command("verify", "--head", "5:abc")
    assert (wrong.code, "NUMBER:HASH" in wrong.err) == (2, True)


def test_a_log_that_begins_later_ends_with_3(command: Run, recorded: Head, audited: Settings) -> None:
    where = TopicPartition(audited.world.physical(TOPIC), 0, 2)  # behind the first record and its marker
    admin = AdminClient(client_configuration(audited))
    for done in admin.delete_records([where]).values():
        done.result(30)
    found = command("verify")
    assert (found.code, found.err) == (
        3, "error: The log begins with number 2 at offset 2: what was before it was cut off.\n",
    )  # fmt: skip


class Forger:
    """Somebody with every right on the cluster: makes the topic anew with other records."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._topic = catalogue.topic(TOPIC)

    def write(self, records: list[Record]) -> None:
        admin = Admin(client_configuration(self._settings))
        admin.delete(self._settings.world, [TOPIC])
        admin.create_namespace_topics(self._settings.world, [self._topic])
        sender = KafkaSender(producer_configuration(self._settings), self._settings.world, 30)
        for record in records:
            assert record.value is not None
            sender.send(TOPIC, record.key, record.value, record.headers, "id").result().require()
        sender.close()


def test_what_a_forger_did_ends_with_3(
    command: Run, recorded: Head, audited: Settings, catalogue: Catalogue, kafka_auditor: Open
) -> None:
    with kafka_auditor() as auditor:
        records = [act.record for act in acts(auditor)]
    forger = Forger(audited, catalogue)
    forged = [(name, b"somebody" if name == "ce_actor" else content) for name, content in records[1].headers]
    ways = {
        "changed": [records[0], records[1]._replace(headers=forged), *records[2:]],
        "gap": [*records[:2], *records[3:]],
        "order": [records[0], records[2], records[1], *records[3:]],
        "end": records[:4],
        "head": [*records[:4], records[4]._replace(key=b"nobody")],
    }
    for code, left in ways.items():
        forger.write(left)
        found = command("verify", "--head", str(recorded), "--json")
        assert (found.code, code in {finding["code"] for finding in found.json()["findings"]}) == (3, True), code
    forger.write(records)
    assert command("verify", "--head", str(recorded)).code == 0


def test_a_machine_remembers_what_it_has_seen(command: Run, recorded: Head, audited: Settings) -> None:
    heads = bootstrap.open_heads(audited)
    assert heads.seen()[-1] == recorded
    heads.keep(Head(9, "a" * 64))
    found = command("verify")
    assert (found.code, "ends with number 5 and has been seen up to number 9" in found.err) == (3, True)
    assert "先前曾见到第 9 号" in command("verify", BUS_LANG="zh").err


def test_in_actual_life_a_log_that_was_deleted_or_made_anew_is_a_finding(
    recorded: Head, audited: Settings, catalogue: Catalogue, kafka_auditor: Open
) -> None:
    admin = Admin(client_configuration(audited))
    admin.delete(audited.world, [TOPIC])
    with kafka_auditor() as auditor:
        (gone,) = verify(auditor, bootstrap.open_heads(audited), [], actual=True).findings
        assert (gone.code, "seen it up to number 5" in gone.message.en) == ("gone", True)
        with pytest.raises(NotFound):
            verify(auditor, bootstrap.open_heads(audited), [], actual=False)
        admin.create_namespace_topics(audited.world, [catalogue.topic(TOPIC)])
        auditor.record("topics.apply", "t")
        (anew,) = verify(auditor, bootstrap.open_heads(audited), [], actual=True).findings
        assert (anew.code, "an earlier one up to number 5" in anew.message.en) == ("anew", True)
        assert verify(auditor, bootstrap.open_heads(audited), [], actual=False).findings == ()


def test_without_a_broker_or_an_audit_it_says_so(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    missing = run("audit", "verify", BUS_RUN_DIR=str(tmp_path))
    assert (missing.code, "deptbus topics apply" in missing.err) == (2, True)
    assert run("audit", "list", BUS_BOOTSTRAP_SERVERS="127.0.0.1:1").code == 2
