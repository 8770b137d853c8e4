"""The wiring of notifications, and running every channel until a signal or the first error."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from deptbus import bootstrap, deadletters, logs
from deptbus.catalogue import Catalogue
from deptbus.clock import Clock, system_clock
from deptbus.errors import NotGranted
from deptbus.health import WRITE_S, write_health
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, consumer_configuration
from deptbus.kafka.groups import begin_at_end
from deptbus.kafka.transport import KafkaTransport
from deptbus.notify.config import EVENT_OF, Channel
from deptbus.notify.deciding import Decide, asked_again, decider
from deptbus.notify.files import FileSink
from deptbus.notify.schedule import Bounds, Patience
from deptbus.notify.secrets import read_secrets
from deptbus.notify.webhook import WebhookSink
from deptbus.notify.wording import Names
from deptbus.notify.worker import Sink, Worker
from deptbus.observe.counting import PROCESS
from deptbus.observe.process import Observed
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.workflow.load import read_workflow, workflow_names

Start = Literal["now", "beginning"]


def make_sink(channel: Channel, settings: Settings, clock: Clock = system_clock) -> Sink:
    """What delivers for a channel; ``SettingsError`` if its secrets are not there."""
    if channel.part.kind == "file":
        return FileSink(folder(settings) / (channel.part.path or ""))
    secrets = read_secrets(channel, settings)
    ca = settings.notify_ca_location
    return WebhookSink(channel.part.url or "", secrets, clock, settings.notify_timeout_s, ca)


def folder(settings: Settings) -> Path:
    """Where file channels write that name no absolute path; an exercise has its own."""
    return settings.run_path / "notifications" / settings.namespace


def names_of(root: Path, catalogue: Catalogue) -> Names:
    """What departments, workflows and steps are called, by the files."""
    definitions = [read_workflow(root, name).definition for name in workflow_names(root)]
    return Names(
        {name: department.titles for name, department in catalogue.departments.items()},
        {one.workflow: one.titles.model_dump() for one in definitions},
        {(one.workflow, step.step): step.titles.model_dump() for one in definitions for step in one.steps},
    )


class Service:
    """Makes the workers of one process. ``close`` when they have ended."""

    def __init__(self, settings: Settings, catalogue: Catalogue, clock: Clock = system_clock) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._clock = clock
        self._registry = bootstrap.open_registry(settings)
        self._codec = bootstrap.load_codec(settings, catalogue, self._registry, {*EVENT_OF.values(), deadletters.TYPE})
        self._learn = bootstrap.learner(self._codec, self._registry)
        self._transport = KafkaTransport(settings)
        self._sender = self._transport.sender()
        self._names = names_of(settings.root, catalogue)
        self._log = logs.logger("deptbus.notify")

    def worker(self, channel: Channel, start: Start, *, once: bool) -> Worker:
        """The worker of a channel. ``start`` counts where its group has never been; ``once``: up to the present end."""
        if start == "now":
            self._begin(channel.group, channel.topics)
        return self._worker(channel, channel.group, channel.topics, self._decide(channel), once=once)

    def worker_again(self, channel: Channel) -> Worker:
        """The worker that tells a channel again what stands on the dead letters; each letter is taken once."""
        group = f"{channel.group}.again"
        decide = asked_again(channel.group, self._decode, self._decide(channel))
        return self._worker(channel, group, (deadletters.TOPIC,), decide, once=True)

    def close(self) -> None:
        """Let go of broker and registry."""
        self._sender.close()
        self._registry.close()

    def _begin(self, group: str, topics: Iterable[str]) -> None:
        world = self._settings.world
        configuration = consumer_configuration(self._settings, world.physical(group))
        begin_at_end(configuration, [world.physical(topic) for topic in topics])

    def _worker(self, channel: Channel, group: str, topics: tuple[str, ...], decide: Decide, *, once: bool) -> Worker:
        settings = self._settings
        publisher = Publisher(
            channel.department, self._catalogue, self._codec, self._sender,
            namespace=settings.world, clock=self._clock, ids=random_id,
        )  # fmt: skip
        bounds = Bounds(
            backoff_s=settings.notify_backoff_s,
            backoff_max_s=settings.notify_backoff_max_s,
            retry_after_max_s=settings.notify_retry_after_max_s,
            attempts_max=settings.notify_attempts_max,
            away_max_s=settings.notify_away_max_s,
        )
        ends = Admin(client_configuration(settings)).end_offsets(settings.world, topics) if once else None
        return Worker(
            channel=channel,
            receiver=self._transport.receiver(group, topics),
            decide=decide,
            sink=make_sink(channel, settings, self._clock),
            letters=deadletters.DeadLetters(publisher, channel.group, self._codec.value_bytes_max(deadletters.TYPE)),
            patience=Patience(bounds),
            log=self._log.bind(channel=channel.id),
            check_access=lambda: self._check_access(channel),
            ends=ends,
        )

    def _decode(self, record: Record, event_type: str) -> dict[str, object]:
        if record.value is not None:
            schema_id = self._codec.schema_id(record.value)
            if not self._codec.knows(schema_id):
                self._learn(schema_id)
        return self._codec.decode(record.value, event_type)

    def _decide(self, channel: Channel) -> Decide:
        namespace = self._settings.namespace
        return decider(channel, self._catalogue, self._decode, namespace, self._names, self._clock())

    def _check_access(self, channel: Channel) -> None:
        """A grant that lapses while the channel runs ends the run, in words."""
        for topic in channel.topics:
            if self._catalogue.may_read(channel.department, topic, self._clock()) is None:
                raise NotGranted(f"{channel.place}: the grant of {topic} to {channel.department} has lapsed.")


async def serve(
    workers: list[Worker], health: Path, clock: Clock = system_clock, observed: Observed | None = None
) -> Counter[str]:
    """Run all until a signal or their ends; the first error of one stops the others and is raised. What was done."""
    loop = asyncio.get_running_loop()
    sources = [PROCESS.ask(worker.measures) for worker in workers]

    def stop() -> None:
        for worker in workers:
            worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [loop.create_task(worker.run(), name=worker.channel.id) for worker in workers]
    pulse = loop.create_task(_pulse(workers, health, clock, observed))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        stop()
        await asyncio.gather(*tasks)
    finally:
        pulse.cancel()
        for forget in sources:
            forget()
    return _counts(workers)


def unready(workers: Iterable[Worker]) -> list[str]:
    """Which channels have no share of their topics yet."""
    return [f"{one.channel.id} has no share of its topics yet" for one in workers if not one.receiver.joined]


def _counts(workers: Iterable[Worker]) -> Counter[str]:
    total: Counter[str] = Counter()
    for worker in workers:
        total.update(worker.counts)
    return total


async def _pulse(workers: list[Worker], health: Path, clock: Callable[[], int], observed: Observed | None) -> None:
    while True:
        if observed is not None:
            observed.beat()
        waiting = sum(worker.waits_until > time.monotonic() for worker in workers)
        counts = {"channels": len(workers), "waiting": waiting, **_counts(workers)}
        write_health(health, "working", clock(), counts, observed.url if observed else None)
        await asyncio.sleep(WRITE_S)
