"""One exercise played twice on a broker of its own: undisturbed, and with everything happening to it."""

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deptbus.bootstrap import load_codec, open_registry
from deptbus.checking import Check, Records, read_records
from deptbus.cli.demo import Choice, choose, make_plan
from deptbus.codec import Codec
from deptbus.exercise.clock import Announcement
from deptbus.exercise.exercise import Exercise
from deptbus.exercise.summary import Summary
from deptbus.exercise.supervisor import Supervisor
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.stack.local import LocalStack
from deptbus.workflow.fold import Folded
from tests.broker import ROOT
from tests.faults.poison import LARGE_BYTES, Poison, brew
from tests.faults.script import Script
from tests.ports import free_ports

SEED = 7
LAST_DAY = "2020-02-03"
"""Of Guangdong's figures: a fortnight is enough for everything to happen."""
PUBLISH_TIMEOUT_S = 120
"""Longer than a broker is away: what is handed over then has its answer when it is back."""
RUN_DIRS = "deptbus-faults-"
"""How run directories begin; the pid of the run follows."""
NAMESPACES = ("undisturbed", "disturbed")
_ACKNOWLEDGED = re.compile(rb"acknowledged (\S+) (\S+)/(\d+)@(\d+)")


class Acknowledged(NamedTuple):
    """What the broker told a participant: this event is on its topic, at this place."""

    id: str
    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Outcome:
    """What came of both."""

    undisturbed: Summary
    disturbed: Summary
    differences: tuple[str, ...]
    """What the exercise's own fold found."""
    records: Records
    """Of the disturbed exercise."""
    undisturbed_records: Records
    check: Check
    folds: dict[int, Folded]
    acknowledged: list[Acknowledged]
    poured: list[Poison]
    exits: dict[str, list[int]]
    script: Script
    codec: Codec
    account: list[str]
    directory: Path


@contextmanager
def own_stack(keep: Callable[[], bool]) -> Iterator[tuple[Settings, LocalStack]]:
    """A broker and a registry that may be killed. What they and the workers wrote stays if ``keep`` says so at the end,
    or an error ends the context."""
    _sweep()
    kafka, controller, registry = free_ports(3)
    run_dir = tempfile.mkdtemp(prefix=f"{RUN_DIRS}{os.getpid()}-")
    settings = Settings.load(
        root=ROOT, run_dir=run_dir, stack="local", kafka_port=kafka, kafka_controller_port=controller,
        registry_port=registry, start_timeout_s=90, publish_timeout_s=PUBLISH_TIMEOUT_S,
        log_format="json", log_level="debug",
    )  # fmt: skip
    stack = LocalStack(settings)
    try:
        stack.up(lambda text: None)
        yield settings, stack
    finally:
        stack.down(lambda text: None)
    if not keep():
        shutil.rmtree(run_dir)


def _sweep() -> None:
    """End and remove what earlier runs have left: those that were killed, and those that failed and were looked at."""
    for run_dir in Path(tempfile.gettempdir()).glob(f"{RUN_DIRS}*"):
        if Path(f"/proc/{run_dir.name.removeprefix(RUN_DIRS).split('-')[0]}").exists():
            continue
        for namespace in NAMESPACES:
            Supervisor(run_dir / namespace, {}).end_leftovers()
        LocalStack(Settings.load(root=ROOT, run_dir=run_dir)).down(lambda text: None)
        shutil.rmtree(run_dir, ignore_errors=True)


def play_both(settings: Settings, stack: LocalStack) -> Outcome:
    """Play, undisturbed and disturbed, and read everything back."""
    started = time.monotonic()
    quiet = _exercise(settings, NAMESPACES[0])
    undisturbed = quiet.play()
    quiet_records = read_records(quiet.settings)
    with open_registry(settings) as registry:
        large = settings.model_copy(update={"value_bytes_max": 2 * LARGE_BYTES})
        codec = load_codec(settings, quiet.catalogue, registry)
        brewing = load_codec(large, quiet.catalogue, registry)
    exercise = _exercise(settings, NAMESPACES[1])
    poisons = [
        brew(quiet_records["health.cases"][0], brewing, "source_reference"),
        brew(_first_answer(quiet_records), brewing, "note"),
    ]
    script = Script(exercise, stack, poisons)
    disturbed, own_log = _play_disturbed(exercise, script)
    records = read_records(exercise.settings)
    check = Check(codec, exercise.catalogue)
    folds = {number: check.fold(records, number) for number in range(exercise.plan.partitions)}
    account = [
        *script.progress.account(),
        _sizes(undisturbed, disturbed, script.progress.steps, time.monotonic() - started),
    ]
    return Outcome(
        undisturbed, disturbed, exercise.differences, records, quiet_records, check, folds,
        _acknowledged(own_log) + _acknowledged(script.log_of("desks")),
        script.poured, {name: exercise.supervisor.exits(name) for name in ("advance-0", "correlate-0", "desks")},
        script, codec, account, exercise.directory,
    )  # fmt: skip


def _sizes(undisturbed: Summary, disturbed: Summary, steps: int, seconds: float) -> str:
    return (
        f"{steps} steps, {disturbed.events_in} events in, {disturbed.events_out} out; undisturbed in "
        f"{undisturbed.seconds:.0f} s, disturbed in {disturbed.seconds:.0f} s; in all {seconds:.0f} s"
    )


def _exercise(settings: Settings, namespace: str) -> Exercise:
    choice = choose(settings.root, None, None, None, None)
    if choice.province == "440000":
        choice = Choice(choice.folder, choice.province, choice.first, LAST_DAY)
    settings = settings.model_copy(update={"namespace": namespace})
    exercise = Exercise(settings, make_plan(settings, choice, SEED, 60))
    exercise.prepare()
    return exercise


def _first_answer(records: Records) -> Record:
    return next(record for record in records["hospitals.tasks"] if record.partition == 1)


def _play_disturbed(exercise: Exercise, script: Script) -> tuple[Summary, Path]:
    """Play with the script beside it; whatever fails says which fault came last and where the logs are."""

    def watch(step: Announcement, opened: int, closed: int) -> None:
        script.progress.announced(step)
        if script.failure is not None:
            raise script.failure

    log = logging.getLogger("deptbus.exercise.link")
    own_log = exercise.directory / "logs" / "importer.log"
    handler = logging.FileHandler(own_log)
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    script.start()
    try:
        summary = exercise.play(watch)
        script.join(5)
        if script.failure is not None:
            raise script.failure
        assert not script.is_alive(), "the exercise was over before all faults had happened"
    except BaseException as error:
        logs = f"The logs are in {exercise.directory / 'logs'} and {exercise.settings.run_path / 'logs'}."
        raise AssertionError(
            "\n".join([f"{error}", f"{script.progress.last()}.", logs, *script.progress.account()])
        ) from error
    finally:
        log.removeHandler(handler)
        handler.close()
        log.setLevel(level)
        log.propagate = propagate
    return summary, own_log


def _acknowledged(log: Path) -> list[Acknowledged]:
    found = _ACKNOWLEDGED.findall(log.read_bytes())
    return [
        Acknowledged(id_.decode(), topic.decode(), int(partition), int(offset))
        for id_, topic, partition, offset in found
    ]
