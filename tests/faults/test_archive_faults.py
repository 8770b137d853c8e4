"""kill -9 in the middle of making an archive, and of restoring it: the same goes on, loses and repeats nothing."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus import failpoint
from deptbus.exercise.exercise import drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.reading import Archive
from deptbus.operations.archive.verify import verify
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.faults import archive_process
from tests.operations.archives import held
from tests.operations.archiving import contents
from tests.operations.kafka_topics import Topics

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(300)]

TOPIC = "health.cases"
SEEDS = range(20)
LIMIT_S = 120
MAKING = ("after-block", "after-file", "before-manifest")
RESTORING = ("after-records", "inside-gap", "after-gap", "before-settings")
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.faults.archive_process"])


@dataclass
class Source:
    """What is archived, and how often each failpoint is passed where nothing happens."""

    settings: Settings
    held: dict[int, list[Entry]]
    bounds: dict[int, tuple[int, int]]
    archive: Archive
    passed: Counter[str]


@pytest.fixture(scope="module")
def source(stack: SharedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A namespace with transactions that were committed and given up."""
    settings = stack.settings(namespace=f"t-{uuid4().hex[:8]}")
    topics = Topics(settings)
    topics.write_all_kinds()
    for number in range(6):
        topics.write(TOPIC, number % 3, range(1_000 * number, 1_000 * number + 400))
        topics.write(TOPIC, number % 3, range(3), transaction="commit" if number % 2 else "abort")
    passed: Counter[str] = Counter()
    folder = tmp_path_factory.mktemp("archive") / "a"
    other = stack.settings(namespace=f"t-{uuid4().hex[:8]}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoint, "hit", lambda name: passed.update([name]))
        archive_process.make(settings, folder, None)
        archive_process.bring_back(other, folder, None)
    yield Source(settings, topics.held(TOPIC), topics.bounds(TOPIC), Archive(folder), passed)
    for each in (settings, other):
        drop_namespace(Admin(client_configuration(each)), each.world)


def _run(what: Callable[[Settings, Path, str | None], None], *given: object) -> int | None:
    process = _processes.Process(target=what, args=given)
    process.start()
    process.join(LIMIT_S)
    if process.exitcode is None:
        process.kill()
        pytest.fail(f"it did not end in {LIMIT_S} s")
    return process.exitcode


def _drawn(seed: int, points: tuple[str, ...], passed: Counter[str]) -> list[str]:
    """Where the processes die, one after the other."""
    drawn = random.Random(seed)
    first = points[seed % len(points)]
    deaths = [f"{first}:{drawn.randint(1, passed[first])}"]
    if seed % 3 == 0:
        deaths.append(f"{drawn.choice(points[:2])}:1")
    return deaths


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_archive_is_gone_on_with(source: Source, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "a"
    for number, death in enumerate(_drawn(seed, MAKING, source.passed)):
        code = _run(archive_process.make, source.settings, folder, death)
        assert code == -9 or (number and code == 0), death
        if code == 0:  # there was less left to do
            break
    else:
        assert _run(archive_process.make, source.settings, folder, None) == 0
    assert verify(folder) == []
    assert held(Archive(folder)) == held(source.archive)
    assert {file.file for _, _, part in Archive(folder).manifest.parts() for file in part.files} == {
        file.file for _, _, part in source.archive.manifest.parts() for file in part.files
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_restore_loses_and_repeats_nothing(source: Source, stack: SharedStack, seed: int) -> None:
    settings = stack.settings(namespace=f"r-{uuid4().hex[:8]}")
    try:
        for number, death in enumerate(_drawn(seed, RESTORING, source.passed)):
            code = _run(archive_process.bring_back, settings, source.archive.folder, death)
            assert code == -9 or (number and code == 0), death
            if code == 0:  # there was less left to do
                break
        else:
            assert _run(archive_process.bring_back, settings, source.archive.folder, None) == 0
        target = Topics(settings)
        assert contents(target.held(TOPIC)) == contents(source.held)
        assert target.bounds(TOPIC) == source.bounds
    finally:
        drop_namespace(Admin(client_configuration(settings)), settings.world)
