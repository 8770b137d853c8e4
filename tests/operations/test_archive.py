"""Archives of topics of a real broker, and what a restore makes of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deptbus.clock import system_clock
from deptbus.errors import ArchiveRefused, NotFound, RegistryError, SettingsError, TopicError
from deptbus.exercise.exercise import drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.groups import Groups
from deptbus.operations.archive import restore as restoring
from deptbus.operations.archive.planning import choose
from deptbus.operations.archive.verify import verify
from deptbus.operations.points import read_point
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.operations.archiving import archive_of, contents, restored
from tests.operations.kafka_topics import Topics

pytestmark = pytest.mark.kafka
TOPIC = "health.cases"


@pytest.fixture
def topics(settings: Settings) -> Topics:
    """The namespace that is archived."""
    return Topics(settings)


@pytest.fixture
def elsewhere(stack: SharedStack) -> Iterator[Topics]:
    """Another namespace, to restore into."""
    settings = stack.settings(namespace=f"r-{uuid4().hex[:8]}")
    yield Topics(settings)
    drop_namespace(Admin(client_configuration(settings)), settings.world)


def test_what_is_restored_stands_where_it_stood_with_key_headers_and_time(
    topics: Topics, elsewhere: Topics, tmp_path: Path
) -> None:
    topics.write_all_kinds()
    archive = archive_of(topics, tmp_path / "a")
    assert verify(archive.folder) == []
    done = restored(archive, elsewhere)
    assert done.differences == []
    assert done.records == 26 + 10
    assert contents(elsewhere.held(TOPIC)) == contents(topics.held(TOPIC))
    assert elsewhere.bounds(TOPIC) == topics.bounds(TOPIC)
    [state] = elsewhere.admin.topics(elsewhere.settings.world)
    assert [state] == list(topics.admin.topics(topics.settings.world))
    assert Groups(client_configuration(elsewhere.settings), elsewhere.settings.world).names() == []
    # An archive of what was restored proves the same.
    again = archive_of(elsewhere, tmp_path / "b")
    for name, number, part in archive.manifest.parts():
        assert again.part(name, number).evidence == part.evidence


class Gone(Exception):
    """The process is gone."""


def dying(after: int) -> Callable[[], None]:
    """Dies when so many records are written."""
    left = iter(range(after))

    def wait() -> None:
        if next(left, None) is None:
            raise Gone

    return wait


@pytest.mark.parametrize("after", [0, 7, 20, 35])
def test_an_interrupted_restore_goes_on_and_repeats_nothing(
    topics: Topics, elsewhere: Topics, tmp_path: Path, after: int
) -> None:
    topics.write_all_kinds()
    archive = archive_of(topics, tmp_path / "a")
    with pytest.raises(Gone):
        restored(archive, elsewhere, wait=dying(after))
    done = restored(archive, elsewhere)
    assert done.resumed
    assert done.differences == []
    assert contents(elsewhere.held(TOPIC)) == contents(topics.held(TOPIC))


def test_a_topic_that_is_not_empty_is_refused_and_stays_as_it_is(
    topics: Topics, elsewhere: Topics, tmp_path: Path
) -> None:
    topics.write_all_kinds()
    archive = archive_of(topics, tmp_path / "a")
    elsewhere.make(TOPIC, 3)
    elsewhere.write(TOPIC, 1, range(2))
    with pytest.raises(ArchiveRefused, match=r"health.cases\[1\] is not empty: it ends at offset 2; restore into"):
        restored(archive, elsewhere)
    assert [len(entries) for entries in elsewhere.held(TOPIC).values()] == [0, 2, 0]
    elsewhere.admin.delete(elsewhere.settings.world, [TOPIC])
    elsewhere.make(TOPIC, 2)
    with pytest.raises(ArchiveRefused, match=r"health\.cases has 2 partitions and the archived one 3"):
        restored(archive, elsewhere)


def test_what_is_finished_is_not_restored_again(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.write_all_kinds()
    archive = archive_of(topics, tmp_path / "a")
    restored(archive, elsewhere)
    with pytest.raises(ArchiveRefused, match="is not empty"):
        restored(archive, elsewhere)


def test_a_foreign_record_stops_the_restore(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.make(TOPIC)
    topics.write(TOPIC, 0, range(3_000))
    archive = archive_of(topics, tmp_path / "a")

    def intrude() -> None:
        if not (seen := elsewhere.bounds(TOPIC)[0][1]):
            return
        if seen < 3_000:
            elsewhere.write(TOPIC, 0, [1])

    calls = iter(range(10_000))
    with pytest.raises(TopicError, match=r"The restore stopped, a record for health.cases\[0\]@\d+ stands at \d+"):
        restored(archive, elsewhere, wait=lambda: intrude() if next(calls) in (600, 1_200, 1_800) else None)


def test_what_is_read_back_is_compared(
    topics: Topics, elsewhere: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics.write_all_kinds()
    archive = archive_of(topics, tmp_path / "a")
    real = restoring.ExactWriter.send

    def wrong(self: Any, partition: Any, key: Any, value: Any, headers: Any, timestamp_ms: int) -> None:
        real(self, partition, key, b"another" if value.endswith(b"value 20") else value, headers, timestamp_ms)

    monkeypatch.setattr(restoring.ExactWriter, "send", wrong)
    done = restored(archive, elsewhere)
    [offset] = [entry.offset for entry in topics.held(TOPIC)[0] if entry.value and entry.value.endswith(b"value 20")]
    assert done.differences == [f"health.cases[0]@{offset}: its value is not that of {offset} in the archive."]
    assert Groups(client_configuration(elsewhere.settings), elsewhere.settings.world).names()


def test_positions_of_groups_are_restored_and_read_back(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.write_all_kinds()
    Groups(client_configuration(topics.settings), topics.settings.world).commit(
        "government", {(TOPIC, 0): 12, (TOPIC, 1): 14, (TOPIC, 2): 0}
    )
    archive = archive_of(topics, tmp_path / "a", groups=True)
    done = restored(archive, elsewhere, groups=True)
    there = Groups(client_configuration(elsewhere.settings), elsewhere.settings.world)
    assert there.committed(["government"])["government"] == {(TOPIC, 0): 12, (TOPIC, 1): 14, (TOPIC, 2): 0}
    assert done.groups == {"government": there.committed(["government"])["government"]}


def test_with_new_offsets_records_follow_each_other_and_positions_are_translated(
    topics: Topics, elsewhere: Topics, tmp_path: Path
) -> None:
    topics.write_all_kinds()
    groups = Groups(client_configuration(topics.settings), topics.settings.world)
    offsets = [entry.offset for entry in topics.held(TOPIC)[0]]
    groups.commit("government", {(TOPIC, 0): offsets[12], (TOPIC, 1): topics.bounds(TOPIC)[1][1]})
    archive = archive_of(topics, tmp_path / "a", groups=True)
    with pytest.raises(Gone):
        restored(archive, elsewhere, exact=False, groups=True, wait=dying(9))
    done = restored(archive, elsewhere, exact=False, groups=True)
    assert done.differences == []
    found = elsewhere.held(TOPIC)
    assert [entry.offset for entry in found[0]] == list(range(26))
    assert [entry[1:] for entry in contents(found)[0]] == [entry[1:] for entry in contents(topics.held(TOPIC))[0]]
    assert done.groups == {"government": {(TOPIC, 0): 12, (TOPIC, 1): 10}}


def test_a_stretch_is_archived_and_a_stretch_of_it_restored(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.write_all_kinds()
    before = topics.held(TOPIC)[0]
    archive = archive_of(topics, tmp_path / "a", start=read_point("@6", "--from"), end=read_point("@25", "--to"))
    assert archive.part(TOPIC, 0).records == sum(6 <= entry.offset <= 25 for entry in before)
    done = restored(archive, elsewhere, start=read_point("@9", "--from"), end=read_point("@20", "--to"))
    assert done.differences == []
    found = elsewhere.held(TOPIC)[0]
    assert [entry.offset for entry in found] == [entry.offset for entry in before if 9 <= entry.offset <= 20]
    assert elsewhere.bounds(TOPIC)[0] == (9, 21)


def test_what_is_older_than_its_retention_is_kept(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.make(TOPIC, retention_ms="3600000", message_timestamp_type="CreateTime", cleanup_policy="compact")
    topics.make("health.notes", retention_ms="3600000")
    topics.write(TOPIC, 0, range(5), timestamp=system_clock() - 50 * 86_400_000)
    topics.write("health.notes", 0, range(5))
    archive = archive_of(topics, tmp_path / "a")
    done = restored(archive, elsewhere)
    assert list(done.kept_for_ever) == [TOPIC]
    after = {state.name: state.configs for state in elsewhere.admin.topics(elsewhere.settings.world)}
    assert after[TOPIC]["retention.ms"] == "-1"
    assert after[TOPIC]["cleanup.policy"] == "compact"
    assert after["health.notes"]["retention.ms"] == "3600000"


def test_wrong_input_is_refused_with_one_sentence(topics: Topics, elsewhere: Topics, tmp_path: Path) -> None:
    topics.write_all_kinds()
    present = topics.admin.topics(topics.settings.world)
    with pytest.raises(NotFound, match=r"There is no topic health\.no on the cluster"):
        choose(present, ["health.no"], (), everything=False)
    with pytest.raises(NotFound, match="roads has no topic on the cluster; those who have: health"):
        choose(present, (), ["roads"], everything=False)
    with pytest.raises(SettingsError, match="--topic, --department, or --all"):
        choose(present, (), (), everything=False)
    with pytest.raises(SettingsError, match=r"--to 2999.* lies in the future"):
        archive_of(topics, tmp_path / "b", end=read_point("2999-01-01T00:00Z", "--to"))
    assert not (tmp_path / "b" / "PLAN.json").exists()
    archive = archive_of(topics, tmp_path / "a")
    with pytest.raises(SettingsError, match="--to @3 lies before --from @9; exchange them"):
        restored(archive, elsewhere, start=read_point("@9", "--from"), end=read_point("@3", "--to"))
    away = replace(elsewhere)
    away.settings = elsewhere.settings.model_copy(update={"schema_registry_url": "http://127.0.0.1:1"})
    with pytest.raises(RegistryError, match="cannot be reached"):
        restored(archive, away)
    assert elsewhere.admin.names(elsewhere.settings.world) == {}
