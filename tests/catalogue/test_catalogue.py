"""Departments, topics and grants are read and checked together."""

import re
from pathlib import Path

import pytest

from deptbus.catalogue import load_catalogue, refuse_lapsed
from deptbus.clock import from_iso
from deptbus.errors import CatalogueError, TopicError
from tests.catalogue.files import TOPICS, case_reported, write_department, write_schema, write_topics

NOW_MS = from_iso("2026-01-01T00:00:00+08:00")
LAPSE_MS = from_iso("2030-07-01T00:00:00+08:00")


def test_a_short_topic_file_gets_sensible_settings(root: Path) -> None:
    topic = load_catalogue(root, NOW_MS).topics["health.cases"]
    assert (topic.owner, topic.key, topic.partitions, topic.replication) == ("health", "subject", 4, -1)
    assert (topic.message_bytes_max, topic.retention_ms) == (4_000_000, 365 * 86_400_000)
    assert (topic.cleanup, topic.timestamp_type) == ("delete", "LogAppendTime")
    assert (topic.compatibility, topic.sharing) == ("BACKWARD_TRANSITIVE", "conditional")


def test_an_event_type_has_one_topic(root: Path) -> None:
    catalogue = load_catalogue(root, NOW_MS)
    assert catalogue.topic_of("health.CaseReported").name == "health.cases"
    with pytest.raises(CatalogueError, match=r"No topic carries cdc\.Lost; name it .* in topics/cdc\.yaml"):
        catalogue.topic_of("cdc.Lost")


def test_a_department_says_who_it_is_and_whether_effects_may_repeat(root: Path) -> None:
    write_department(root, "cdc", inbox="database", elements=["case_count"])
    departments = load_catalogue(root, NOW_MS).departments
    assert departments["cdc"].has_database
    assert not departments["health"].has_database
    assert departments["cdc"].elements == ("case_count",)
    assert departments["health"].titles == {"zh": "部门", "en": "health"}


def test_folders_of_services_without_a_department_file_are_no_departments(root: Path) -> None:
    (root / "services" / "dashboard").mkdir()
    assert set(load_catalogue(root, NOW_MS).departments) == {"health", "cdc"}


def test_a_grant_lapses_by_itself_at_the_end_of_its_last_day_in_china(root: Path) -> None:
    catalogue = load_catalogue(root, NOW_MS)
    grant = catalogue.may_read("cdc", "health.cases", LAPSE_MS - 1)
    assert grant is not None
    assert (grant.legal_basis, grant.until, grant.fields) == ("Law, art. 33", "2030-06-30", ("number", "level"))
    assert catalogue.may_read("cdc", "health.cases", LAPSE_MS) is None


def test_owner_and_the_bus_read_without_a_grant_and_nobody_else(root: Path) -> None:
    write_department(root, "transport")
    catalogue = load_catalogue(root, NOW_MS)
    assert catalogue.may_read("health", "health.cases", NOW_MS)
    assert catalogue.may_read("workflow", "health.cases", NOW_MS)
    assert catalogue.may_read("bus", "health.cases", NOW_MS)
    assert catalogue.may_read("transport", "health.cases", NOW_MS) is None


def test_every_department_reads_workflow_tasks(root: Path) -> None:
    schema = case_reported() | {"name": "TaskRequested", "namespace": "workflow"}
    write_schema(root, "workflow.TaskRequested", schema)
    write_topics(
        root,
        "workflow",
        "owner: workflow\ntopics:\n  - {name: workflow.tasks, key: instance, events: [workflow.TaskRequested]}\n",
    )
    assert load_catalogue(root, NOW_MS).may_read("cdc", "workflow.tasks", NOW_MS)


def test_a_lapsed_grant_stops_no_process_but_no_topic_is_planned_with_it(root: Path) -> None:
    catalogue = load_catalogue(root, LAPSE_MS)
    with pytest.raises(TopicError, match=r"health\.cases to cdc lapsed after 2030-06-30; renew it"):
        refuse_lapsed(catalogue)
    refuse_lapsed(load_catalogue(root, LAPSE_MS - 1))


def test_defaults_of_a_file_hold_for_topics_that_say_nothing_else(root: Path) -> None:
    write_topics(
        root,
        "health",
        "owner: health\ndefaults: {retention: 30d, partitions: 2}\ntopics:\n"
        "  - {name: health.cases, partitions: 6, retention: forever, events: [health.CaseReported]}\n",
    )
    topic = load_catalogue(root, NOW_MS).topics["health.cases"]
    assert (topic.partitions, topic.retention_ms) == (6, -1)


TOPIC_FAULTS = {
    "an event type without a schema": (
        ("[health.CaseReported]", "[health.CaseReported, health.CaseLost]"),
        "names the event type health.CaseLost, which has no schema",
    ),
    "an event type of another owner": (
        ("[health.CaseReported]", "[health.CaseReported, cdc.CaseLost]"),
        "line 4: cdc.CaseLost is not an event of health",
    ),
    "an unknown owner": (("owner: health", "owner: nobody"), "line 1: the owner nobody differs from the file's name"),
    "another's topic": (
        ("name: health.cases", "name: cdc.cases"),
        "line 3: the topic cdc.cases must begin with its owner",
    ),
    "a grant to nobody": (
        ("department: cdc", "department: fire"),
        "line 6: health.cases is granted to fire, which is no department",
    ),
    "a grant to oneself": (("department: cdc", "department: health"), "health needs no grant to read its own topic"),
    "a granted field that is not there": (("[number, level]", "[number, lost]"), "names the field lost"),
    "a misspelt setting": (("events:", "partition: 3\n    events:"), "line 4: topics.0.partition is not known here"),
    "a setting that is no number": (
        ("events:", "partitions: many\n    events:"),
        "line 4: topics.0.partitions is not usable",
    ),
    "a duration without a unit": (("events:", "retention: 30 moons\n    events:"), "a duration is a number with"),
    "a size without a unit": (("events:", "message_bytes_max: 4 tons\n    events:"), "a size is a number with"),
    "a missing purpose": (
        ("        purpose: verify reported cases\n", ""),
        "topics.0.grants.0.purpose is missing; add it",
    ),
    "a key twice": (("owner: health", "owner: health\nowner: health"), "line 2: owner stands twice"),
    "broken YAML": (("events: [", "events: [["), "this is not valid YAML"),
    "not shared, yet granted": (
        ("    events:", "    sharing: none\n    events:"),
        "is not shared (sharing: none) but has grants",
    ),
    "no compatibility, yet granted": (
        ("    events:", "    compatibility: NONE\n    events:"),
        "health.cases is read by cdc, so its compatibility cannot be NONE",
    ),
    "no events": (("[health.CaseReported]", "[]"), "topics.0.events is not usable"),
}


@pytest.mark.parametrize(("change", "expected"), TOPIC_FAULTS.values(), ids=TOPIC_FAULTS)
def test_a_broken_topic_file_is_one_sentence_with_file_and_line(
    root: Path, change: tuple[str, str], expected: str
) -> None:
    assert change[0] in TOPICS
    write_topics(root, "health", TOPICS.replace(*change, 1))
    with pytest.raises(TopicError, match=re.escape(expected)) as raised:
        load_catalogue(root, NOW_MS)
    assert re.match(r"topics/health\.yaml, line \d+: ", str(raised.value))
    assert "\n" not in str(raised.value)


def test_an_event_type_in_two_topics_is_refused(root: Path) -> None:
    write_topics(root, "health", TOPICS + "  - {name: health.more, events: [health.CaseReported]}\n")
    with pytest.raises(TopicError, match=r"line 11: health\.CaseReported is already on health\.cases"):
        load_catalogue(root, NOW_MS)


def test_an_event_type_in_no_topic_is_refused(root: Path) -> None:
    write_schema(root, "health.CaseLost", case_reported() | {"name": "CaseLost"})
    with pytest.raises(
        TopicError, match=r"schemas/health/CaseLost: no topic carries health\.CaseLost.*health\.yaml\.$"
    ):
        load_catalogue(root, NOW_MS)
    write_schema(root, "health.CaseMoved", case_reported() | {"name": "CaseMoved"})
    with pytest.raises(TopicError, match=r"carries health\.CaseLost.*The same goes for health\.CaseMoved\."):
        load_catalogue(root, NOW_MS)


def test_schemas_of_nobody_are_refused(root: Path) -> None:
    write_schema(root, "fire.Lit", case_reported() | {"name": "Lit", "namespace": "fire"})
    with pytest.raises(CatalogueError, match=r"fire is neither a department nor workflow or bus"):
        load_catalogue(root, NOW_MS)


def test_topics_of_nobody_are_refused(root: Path) -> None:
    write_topics(root, "fire", "owner: fire\ntopics: [{name: fire.calls, events: [fire.Lit]}]\n")
    with pytest.raises(TopicError, match=r"topics/fire\.yaml, line 1: the owner fire is neither a department"):
        load_catalogue(root, NOW_MS)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("common", {}, "the id common is reserved"),
        ("fire", {"id": "flames"}, "the id flames differs from the folder fire"),
        ("fire", {"org_code": "91350100M000100Y4Z"}, "org_code is not usable: this is no 统一社会信用代码"),
        ("fire", {"org_code": "11100000MB30000353"}, "with these digits it would end in W"),
        ("fire", {"region": "44"}, "region is not usable"),
        ("fire", {"level": "village"}, "level is not usable"),
        ("fire", {"titles": {"zh": "消防"}}, "titles.en is missing; add it"),
        ("fire", {"inbox": "paper"}, "inbox is not usable"),
        ("fire", {"chief": "Li"}, "chief is not known here"),
    ],
)
def test_a_broken_department_file_is_one_sentence_with_file_and_line(
    root: Path, name: str, changes: dict[str, object], expected: str
) -> None:
    write_department(root, name, **changes)
    with pytest.raises(CatalogueError, match=re.escape(expected)) as raised:
        load_catalogue(root, NOW_MS)
    assert re.match(rf"services/{name}/department\.yaml, line \d+: ", str(raised.value))


def test_an_org_code_belongs_to_one_department(root: Path) -> None:
    write_department(root, "transport", org_code="11100000MB9001001R")
    with pytest.raises(CatalogueError, match=r"transport/department\.yaml, line 3: health has the same org_code"):
        load_catalogue(root, NOW_MS)


def test_a_data_element_has_one_source(root: Path) -> None:
    write_department(root, "cdc", elements=["case_count"])
    write_department(root, "health", elements=["bed_count", "case_count"])
    with pytest.raises(CatalogueError, match=r"line 12: the data element case_count already has its source, cdc"):
        load_catalogue(root, NOW_MS)
