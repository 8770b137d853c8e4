"""Changes of schemas, topics and packs are on record, whoever made them."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.errors import NotFound, TopicError
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.acts import Audited
from deptbus.operations.changing import Changes
from deptbus.packs import Packs
from deptbus.settings import Settings
from deptbus.topics.plan import Action
from tests.broker import ROOT
from tests.catalogue.files import field, record, write_department, write_schema, write_topics
from tests.command.conftest import Run, run  # noqa: F401  # a fixture
from tests.operations.auditing import acts
from tests.streams.world import World, counting
from tests.workflow.world import START

pytestmark = pytest.mark.kafka


class Project:
    """The bus's own files and a department of the test's, whose schemas no registry has seen."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.owner = f"clinic{uuid4().hex[:8]}"
        for owner in ("bus", "common"):
            shutil.copytree(ROOT / "schemas" / owner, root / "schemas" / owner)
        (root / "topics").mkdir()
        shutil.copy(ROOT / "topics" / "bus.yaml", root / "topics" / "bus.yaml")
        write_department(root, self.owner)
        fields = record("CaseSeen", field("number", "string"), namespace=self.owner)
        write_schema(root, f"{self.owner}.CaseSeen", fields)
        self.settings = settings.model_copy(update={"root": root, "run_dir": root / "run"})
        self.warnings: list[str] = []
        self.declare()

    def declare(self, more: str = "") -> None:
        """Write the topic file of the department; ``more`` is about its one topic."""
        text = (
            f"owner: {self.owner}\ntopics:\n  - name: {self.owner}.cases\n{more}    events: [{self.owner}.CaseSeen]\n"
        )
        write_topics(self.settings.root, self.owner, text)

    @property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.settings.root, 0)

    def changes(self) -> Changes:
        return Changes(self.settings, self.catalogue, self.warnings.append)

    def acts(self) -> list[Audited]:
        with bootstrap.open_auditor(self.settings, self.catalogue) as auditor:
            assert auditor.verify().findings == ()
            return acts(auditor)

    def told(self) -> list[tuple[str, str, str]]:
        return [(act.data["act"], act.data["target"], act.data["outcome"]) for act in self.acts()]


@pytest.fixture
def project(tmp_path: Path, settings: Settings) -> Project:
    return Project(tmp_path, settings)


def test_what_founds_the_audit_is_recorded_once_it_is_there(project: Project) -> None:
    with project.changes() as changes:
        changes.register_schemas()
        created = changes.create_topics()
    assert f"{project.owner}.cases" in {topic.name for topic in created}
    assert [act[0] for act in project.told()] == ["schemas.register", "topics.apply"]
    topics = project.acts()[1].data["detail"]
    assert topics[f"{project.owner}.cases"] == topics["bus.audit"] == "create"
    assert topics["recorded"] == "once there was an audit"
    with project.changes() as changes:
        changes.register_schemas()
        changes.apply_topics()
    assert len(project.acts()) == 2
    assert project.warnings == []


def test_without_an_audit_a_change_is_made_with_a_warning(project: Project) -> None:
    with project.changes() as changes:
        changes.register_schemas()
    (warning,) = project.warnings
    assert warning.startswith("schemas.register did not go on record: there is no bus.audit yet")


def test_later_changes_are_recorded_from_their_start(project: Project) -> None:
    with project.changes() as changes:
        changes.register_schemas()
        changes.apply_topics()
    name = f"{project.owner}.CaseSeen"
    fields = record("CaseSeen", field("number", "string"), field("ward", "string", default=""), namespace=project.owner)
    write_schema(project.settings.root, name, fields, 2)
    project.declare("    retention: 30d\n")
    with project.changes() as changes:
        changes.register_schemas()
        changes.apply_topics()
    topic = f"{project.owner}.cases"
    assert project.told()[2:] == [
        ("schemas.register", name, "started"), ("schemas.register", name, "done"),
        ("topics.apply", topic, "started"), ("topics.apply", topic, "done"),
    ]  # fmt: skip
    started = [act.data["detail"] for act in project.acts()[2::2]]
    assert started[0] == {name: "v2"}
    assert started[1][f"{topic} retention.ms"].startswith("alter: retention.ms: ")


def test_what_is_refused_is_no_change(project: Project) -> None:
    with project.changes() as changes:
        changes.register_schemas()
        changes.apply_topics()
    before = len(project.acts())
    project.declare("    partitions: 7\n")
    with pytest.raises(TopicError, match="keyed topics keep their number"), project.changes() as changes:
        changes.apply_topics()
    assert len(project.acts()) == before


def test_the_audit_is_not_deleted_with_its_declaration(project: Project) -> None:
    with project.changes() as changes:
        changes.register_schemas()
        changes.apply_topics()
    shutil.rmtree(project.settings.root / "schemas" / "bus")
    (project.settings.root / "topics" / "bus.yaml").unlink()
    with project.changes() as changes:
        gone = changes.apply_topics(allow_delete=True)
    assert "bus.audit" not in {change.topic for change in gone.of(Action.DELETE)}
    assert "bus.audit" in Admin(client_configuration(project.settings)).names(project.settings.world)
    assert "did not go on record" in project.warnings[0]


def test_packs_come_and_go_on_record(settings: Settings, tmp_path: Path, run: Run) -> None:  # noqa: F811
    world = World(settings.model_copy(update={"run_dir": tmp_path, "operator": "chen"}))
    with Packs(world.settings, world.catalogue, world.codec) as packs:
        assert packs.activate(counting(), START)
        assert not packs.activate(counting(), START)
        packs.retire(counting(), "nothing runs by it", START)
        with pytest.raises(NotFound):
            packs.retire(counting(), "again", START)
    told = [
        (data["act"], data["target"], data["operator"], data["reason"], data["outcome"])
        for _, _, data in world.read("bus.audit")
    ]
    activated, retired = ("packs.activate", "counting@1", "chen", None), ("packs.retire", "counting@1", "chen")
    assert told == [
        (*activated, "started"), (*activated, "done"),
        (*retired, "nothing runs by it", "started"), (*retired, "nothing runs by it", "done"),
        (*retired, "again", "started"), (*retired, "again", "failed"),
    ]  # fmt: skip
    assert run("audit", "verify", BUS_RUN_DIR=str(tmp_path)).code == 0
    world.close()


def test_setup_records_what_it_changes(settings: Settings, tmp_path: Path, run: Run) -> None:  # noqa: F811
    assert run("setup", BUS_RUN_DIR=str(tmp_path), BUS_OPERATOR="chen").code == 0
    found = run("audit", "list", "--json", BUS_RUN_DIR=str(tmp_path)).json()
    assert {act["outcome"] for act in found} == {"done"}
    assert {act["operator"] for act in found} == {"chen"}
    assert [act["act"] for act in found if act["act"] != "schemas.register"] == [
        "topics.apply", *["packs.activate"] * (len(found) - 1 - (found[0]["act"] == "schemas.register")),
    ]  # fmt: skip
    assert run("setup", BUS_RUN_DIR=str(tmp_path)).code == 0
    assert len(run("audit", "list", "--json", BUS_RUN_DIR=str(tmp_path)).json()) == len(found)


def test_a_change_says_who_makes_it_and_why(settings: Settings, tmp_path: Path, run: Run) -> None:  # noqa: F811
    world = World(settings)
    Admin(client_configuration(settings)).delete(settings.world, ["bus.packs", "health.cases"])
    world.close()
    given = ("--reason", "they were lost", "--operator", "chen")
    assert run("topics", "apply", *given, BUS_RUN_DIR=str(tmp_path)).code == 0
    (act,) = run("audit", "list", "--json", BUS_RUN_DIR=str(tmp_path)).json()
    assert (act["act"], act["target"], act["operator"], act["reason"], act["outcome"]) == (
        "topics.apply", "bus.packs health.cases", "chen", "they were lost", "done",
    )  # fmt: skip
    assert act["detail"]["health.cases"].startswith("create: ")
