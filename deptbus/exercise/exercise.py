"""One exercise from its preparation to its summary: namespace, workers, clock, fold, numbers."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import orjson

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import SettingsError, TopicError
from deptbus.exercise import freeplay
from deptbus.exercise.clock import JOURNAL, Announcement, StepClock
from deptbus.exercise.clockwork import Clockwork
from deptbus.exercise.importer import Importer
from deptbus.exercise.link import Link
from deptbus.exercise.summary import Figure, Summary, summarize
from deptbus.exercise.supervisor import Supervisor
from deptbus.folding import fold_namespace
from deptbus.imports.item import Item
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.operations.changing import Changes
from deptbus.packs import Packs
from deptbus.settings import Settings
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.pack import Pack

DAY_MS = 86_400_000
AFTER_MAX_MS = 28 * DAY_MS
"""How long the clock runs on after the last day, at most."""
GROUPS_TIMEOUT_S = 15.0
"""How long the members of a killed run may be waited for, in seconds: twice their session and more."""
_POLL_S = 0.2
_log = logging.getLogger("deptbus.exercise")

Watch = Callable[[Announcement, int, int], None]
"""Called with every announcement and the numbers of instances opened and closed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played. Times are exercise time in milliseconds."""

    items: tuple[Item, ...]
    from_ms: int
    until_ms: int
    """The last time that must be played."""
    packs: tuple[Pack, ...]
    seed: int = 1
    step_ms: int = 3_600_000
    partitions: int = 2
    """Of every topic with keys: each costs a transaction in every step."""
    advance_workers: int = 1
    correlate_workers: int = 1
    scenario: str | None = None
    """The scenario that the desks follow, if it is one."""
    figures: tuple[Figure, ...] = ()
    """What the summary counts of the events brought in, besides how many of each type."""


class Exercise:
    """One exercise in the namespace of ``settings``. ``supervisor`` has its workers while it is played."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        if not settings.namespace:
            raise SettingsError("An exercise needs a namespace of its own; set BUS_NAMESPACE to its name.")
        self.settings = settings
        self.plan = plan
        self.catalogue = sized(load_catalogue(settings.root, system_clock()), plan.partitions)
        self.directory = settings.run_path / settings.namespace
        self.supervisor = Supervisor(self.directory, settings.environment())
        self.differences: tuple[str, ...] = ()
        """Where the folded states differ from the live ones, once it was played."""
        self.inputs = sorted({self.catalogue.topic_of(kind).name for kind in Correlator(plan.packs).event_types})

    def prepare(self, say: Callable[[str], None] = lambda text: None) -> None:
        """Drop what an earlier run left; create topics, register schemas, activate the packs."""
        settings = self.settings
        freeplay.stop(settings)
        self.supervisor.end_leftovers()
        for log in (self.directory / "logs").glob("*.log"):
            log.unlink()
        say("dropping what an earlier run left")
        admin = Admin(client_configuration(settings))
        drop_namespace(admin, settings.world)
        with Changes(settings, self.catalogue, say) as changes:  # behind the drop, which would take its records
            say("registering the schemas")
            changes.register_schemas()
            say("creating the topics")
            changes.create_topics()
        say("activating the packs")
        with Packs(settings, self.catalogue) as packs:
            for pack in self.plan.packs:
                packs.activate(pack, self.plan.from_ms)

    def play(self, watch: Watch = lambda step, opened, closed: None) -> Summary:
        """Start the workers, play every step, stop the workers, fold, count. Writes ``summary.json``."""
        started = time.monotonic()
        with self.supervisor:
            self._start_workers()
            link = Link(self.settings, "clock")
            try:
                steps = self._play(link, watch)
                played = time.monotonic()
                # Nothing is written any more. Folding computes while workers end and the broker is asked.
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    folding = pool.submit(fold_namespace, self.settings)
                    self.supervisor.stop_all()
                    stopped = time.monotonic()
                    inputs = (topic for topic in self.inputs if self._is_department(topic))
                    summary = summarize(link, inputs, self.plan.figures)
                    counted = time.monotonic()
                    folded = folding.result()
            finally:
                link.close()
        self.differences = tuple(folded.differences)
        summary.fold_equal = folded.equal
        summary.seconds = round(time.monotonic() - started, 1)
        _log.info(
            "%d steps in %.1f s; stopped in %.1f s, counted in %.1f s, folded %d entries in %.1f s",
            steps, played - started, stopped - played, counted - stopped, folded.entries, time.monotonic() - played,
        )  # fmt: skip
        (self.directory / "summary.json").write_bytes(
            orjson.dumps(summary.to_data(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
        )
        return summary

    def _play(self, link: Link, watch: Watch) -> int:
        return Clockwork(
            link,
            self._clock(),
            Importer(link, self.plan.items),
            journal=self.plan.partitions,
            watch=watch,
            alive=self.supervisor.check,
        ).run()

    def add_worker(self, role: str, number: int) -> None:
        """Start one more worker of a role (``correlate`` or ``advance``)."""
        self.supervisor.add(f"{role}-{number}", "run", role, "--worker", str(number))

    def _start_workers(self) -> None:
        for number in range(self.plan.advance_workers):
            self.add_worker("advance", number)
        for number in range(self.plan.correlate_workers):
            self.add_worker("correlate", number)
        following = ["--scenario", self.plan.scenario] if self.plan.scenario else []
        self.supervisor.add("desks", "exercise", "desks", "--seed", str(self.plan.seed), *following)

    def _clock(self) -> StepClock:
        plan = self.plan
        return StepClock(
            origin_ms=plan.from_ms,
            step_ms=plan.step_ms,
            until_ms=plan.until_ms,
            limit_ms=plan.until_ms + AFTER_MAX_MS,
            journal=[f"{JOURNAL}/{number}" for number in range(plan.partitions)],
            inputs=self.inputs,
        )

    def _is_department(self, topic: str) -> bool:
        return self.catalogue.topic(topic).owner in self.catalogue.departments


def drop_namespace(admin: Admin, world: Namespace) -> None:
    """Drop a namespace. Groups are refused until the broker misses members that ended without a word: waited for."""
    limit = time.monotonic() + GROUPS_TIMEOUT_S
    while True:
        try:
            admin.delete_namespace(world)
            return
        except TopicError:
            if time.monotonic() > limit:
                raise
        time.sleep(_POLL_S)


def sized(catalogue: Catalogue, partitions: int) -> Catalogue:
    """The catalogue with that many partitions of every topic but the bus's own."""
    topics = {
        name: topic if topic.owner == "bus" else replace(topic, partitions=partitions)
        for name, topic in catalogue.topics.items()
    }
    return replace(catalogue, topics=topics)
