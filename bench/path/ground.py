"""Where the path is measured: a broker with schemas and the epidemic's pack, our workers and the peers on it."""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import count

from bench.path import load
from bench.path.load import EVENTS_EACH, Made
from bench.path.place import Came, Place
from bench.path.worker import Worker
from bench.suite.bench import Bench
from bench.suite.processes import MeasurementFailed, Side
from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.envelope import Envelope, to_headers
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.packs import Packs
from deptbus.schemas.registration import register_schemas, resolve_ids
from deptbus.workflow.load import load_workflow
from deptbus.workflow.pack import Pack
from deptbus.workflow.peers import new_entry
from tests.waiting import wait_until

JOURNAL_PARTITIONS = range(4)
RESTORED_S = 60
SNAPSHOTS = {"quix": "changelog__ns.path-quix.path--ns.path-quix.workflow.journal--default"}
"""Where a peer keeps states other than in ``workflow.instances``."""


class Ground:
    """See the module. Actual life of the bench's broker is ours; each peer has a namespace of its own."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.settings = bench.stack.settings(namespace="")
        self.catalogue = load_catalogue(self.settings.root, system_clock())
        with bootstrap.open_registry(self.settings) as registry:
            register_schemas(registry, self.catalogue.schemas, {})
            ids = resolve_ids(registry, self.catalogue.schemas)
        self._ids = [(event_type, version, number) for (event_type, version), number in ids.items()]
        self.codec = bootstrap.make_codec(self.settings, self.catalogue, ids)
        self.pack = Pack(load.unhurried(load_workflow(self.settings.root, "epidemic", self.catalogue)))
        self.expected = load.expected(self.codec, self.pack)
        self.runs = count()
        """Numbers of runs; each is given once."""
        self._digests: dict[int, str] = {}

    @cached_property
    def ours(self) -> Place:
        """Our topics, with the pack in force."""
        world = Namespace()
        Admin(client_configuration(self.settings)).create_namespace_topics(world, self.catalogue.topics.values())
        place = Place(self.settings, world, self.catalogue, self.codec)
        with Packs(self.settings, self.catalogue, self.codec) as packs:
            packs.activate(self.pack, load.START)
        return place

    @contextlib.contextmanager
    def peer(self, name: str) -> Iterator[tuple[Side, Place]]:
        """A peer's process, which works, and its topics."""
        world = Namespace(f"path-{name}")
        place = Place(self.settings, world, self.catalogue, self.codec, SNAPSHOTS.get(name))
        entry = new_entry(
            "activation", load.START, self.pack.workflow, "", pack=self.pack.hash, body=self.pack.to_bytes()
        )
        value = self.codec.encode("workflow.EntryAppended", {"entry": entry})
        envelope = Envelope(id="pack", type="workflow.EntryAppended", source="/bus/packs", time_ms=load.START)
        place.append("@pack", value, to_headers(envelope), JOURNAL_PARTITIONS)
        with Side(self._bench.peers_python, f"bench.peers.path_{name}", self.settings.environment()) as side:
            side.ask(
                "start", servers=self.settings.bootstrap_servers, prefix=world.prefix,
                pack=self.pack.to_bytes().hex(), ids=self._ids,
            )  # fmt: skip
            yield side, place
            side.ask("stop")

    @contextlib.contextmanager
    def workers(self, number: int = 1) -> Iterator[list[Worker]]:
        """So many workers of ours, which work and have restored the journal's partitions."""
        assert self.ours
        with contextlib.ExitStack() as stack:
            made = [stack.enter_context(Worker(self.settings, slot)) for slot in range(number)]
            journal = len(JOURNAL_PARTITIONS)
            wait_until(lambda: sum(one.partitions for one in made) == journal, "the journal to be restored", RESTORED_S)
            yield made

    def events(self, run: int, number: int) -> list[Made]:
        """So many events of a run."""
        return list(load.events(self.codec, run, number))

    def same(self, run: int, came: Came) -> None:
        """Both sides of a pair must have come to the same tasks."""
        if self._digests.setdefault(run, came.digest) != came.digest:
            raise MeasurementFailed(f"the tasks of run {run} are not the same on both sides")

    def run(
        self,
        number: int,
        place: Place,
        events: int,
        alive: Callable[[], None],
        seen: Callable[[], None] | None = None,
    ) -> float:
        """Have a side do a run's work and check what came of it, after calling ``seen``; events per second."""
        made = self.events(number, events)
        watch = place.watch()
        began_ms = place.publish(made)
        came = watch.wait(self.regions(made), self.expected, alive, seen)
        self.same(number, came)
        return events / (came.ended_ms - began_ms) * 1000

    def regions(self, events: list[Made]) -> int:
        """How many regions so many events are of."""
        return len(events) // EVENTS_EACH


@cache
def ground_of(bench: Bench) -> Ground:
    """The one of a run of the suite: what one measurement leaves there must not be in the next one's way."""
    return Ground(bench)
