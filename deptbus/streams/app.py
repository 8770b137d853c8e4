"""The Faust application of a stream processor, and the process around it.

``serve`` runs one processor until SIGTERM, SIGINT or the first error. An error ends the process, never only an
agent: what was not acknowledged is delivered again to whoever comes next.
"""

import asyncio
import os
import signal
import ssl
import sys
import traceback
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import faust
import structlog
from faust.auth import SASLCredentials
from faust.tables.manager import TableManager
from faust.types import TP, ConsumerMessage
from yarl import URL

from deptbus.clock import system_clock
from deptbus.errors import BusError
from deptbus.health import WRITE_S, health_path, write_health
from deptbus.namespace import Namespace
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.streams.transport import Consumer, Transport

SESSION_S = 6.0
"""A worker that says nothing for so long loses its partitions."""
HEARTBEAT_S = 1.0
COMMIT_S = 1.0
"""How often done offsets are committed; what a crash repeats is skipped by the offsets in the snapshots."""
BUFFER_MAX = 4_096
"""Records between the consumer and an agent, per topic group, before fetching pauses."""
REQUEST_S = 40.0
STOP_S = 10.0
"""A graceful end that takes longer is cut off."""

_log = structlog.get_logger("deptbus.streams")


class Processor(Protocol):
    """What happens to the records of a group's topics. All calls come from the loop's thread."""

    topics: tuple[str, ...]
    """Physical names."""

    def start(self, app: "App") -> None:
        """The loop runs; nothing is assigned yet."""

    async def assigned(self, partitions: set[TP]) -> None:
        """These partitions are ours from now on, until ``revoked``; they replace all earlier ones."""

    async def revoked(self) -> None:
        """No partition is ours any more: finish or drop what is under way. What ``done`` says is committed next."""

    async def receive(self, message: ConsumerMessage) -> None:
        """Take one record; wait while there is no room."""

    def fetched(self, reached: Mapping[TP, int], delivered: Mapping[TP, int]) -> None:
        """After a fetch, also one that found nothing: where the next one begins in each partition, and the offsets
        after the last records handed on."""

    def health(self) -> dict[str, int]:
        """What was done so far, in numbers."""

    async def close(self) -> None:
        """After the last ``revoked``: let go of everything."""


class _NoTables(TableManager):
    """There are none; Faust's own waits a second for them to be declared."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """A Faust application that declares no topics, keeps no files, and fails as a whole."""

    failure: "asyncio.Future[None]"
    processor: Processor
    joined: bool = False
    """Whether this worker belongs to its group."""

    def _new_transport(self) -> Any:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Any:
        return Transport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """Faust would make a data directory."""

    @property
    def bus_consumer(self) -> Consumer:
        """The consumer, as what it is."""
        consumer = self.consumer
        assert isinstance(consumer, Consumer)
        return consumer

    def fail(self, error: BaseException) -> None:
        """Have the process end with this error."""
        if not self.failure.done():
            self.failure.set_exception(error)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run something beside the agents; its error is the process's."""

        def ended(task: "asyncio.Task[None]") -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.fail(error)

        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(ended)
        return task

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super()._on_partitions_revoked(revoked)
        try:
            if revoked:
                await self.processor.revoked()
                await self.bus_consumer.commit()
            self.bus_consumer.forget()
        except Exception as error:
            self.fail(error)
            raise

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.bus_consumer.forget()
        try:
            await self.processor.assigned(set(assigned))
        except Exception as error:
            self.fail(error)
            raise
        await super()._on_partitions_assigned(assigned, generation_id)
        self.joined = True


def make_app(settings: Settings, group: str, worker: str, processor: Processor) -> App:
    """The application of one member of ``group`` (physical name); ``worker`` names its slot in the group."""
    app = App(
        group,
        broker=[URL(f"kafka://{address.strip()}") for address in settings.bootstrap_servers.split(",")],
        broker_client_id=worker,
        broker_credentials=_credentials(settings),
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=REQUEST_S,
        broker_commit_interval=COMMIT_S,
        broker_commit_every=1_000_000_000,
        broker_max_poll_interval=300.0,
        consumer_group_instance_id=worker,
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        web_enabled=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFER_MAX,
        stream_publish_on_commit=False,
        TableManager=_NoTables,
        loghandlers=[],
    )
    app.processor = processor
    topic = app.topic(*processor.topics, key_serializer="raw", value_serializer="raw", value_type=bytes)

    @app.agent(topic, name="records", concurrency=1)  # type: ignore[untyped-decorator]
    async def records(stream: Any) -> None:
        try:
            async for event in stream.noack().events():
                await processor.receive(event.message)
        except Exception as error:
            app.fail(error)
            raise

    return app


def _credentials(settings: Settings) -> Any:
    """How Faust is let in by the broker."""
    if settings.security_protocol == "PLAINTEXT":
        return None
    context = None
    if settings.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=str(settings.ssl_ca_location) if settings.ssl_ca_location else None)
        if settings.ssl_certificate_location:
            key = settings.ssl_key_location
            context.load_cert_chain(str(settings.ssl_certificate_location), str(key) if key else None)
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else None
    return SASLCredentials(
        username=settings.sasl_username,
        password=password,
        ssl_context=context,
        mechanism=settings.sasl_mechanism or "PLAIN",
    )


def serve(settings: Settings, group: str, worker: str, processor: Processor) -> None:
    """Run until a signal (returns) or the first error (ends the process with its exit code, or 1)."""
    asyncio.run(_serve(settings, group, worker, processor))


async def _serve(settings: Settings, group: str, worker: str, processor: Processor) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = make_app(settings, group, worker, processor)
    app.failure = loop.create_future()
    processor.start(app)
    _log.info("started", group=group, worker=worker, topics=list(processor.topics))
    tasks = [
        app.spawn(app.start(), "faust"),
        app.spawn(_crash(app), "crash"),
        app.spawn(_tell_health(app, health_path(settings, worker)), "health"),
    ]
    stopping = app.spawn(_until(stopped), "stop")
    await asyncio.wait([app.failure, stopping], return_when=asyncio.FIRST_COMPLETED)
    if app.failure.done():
        _die(worker, app.failure.exception())
    await _end(app, processor, tasks)
    _log.info("stopped", worker=worker)


def _die(worker: str, error: BaseException | None) -> None:
    """End the process at once: threads of Faust would keep an unwound one alive, and could still commit."""
    code = 1
    if isinstance(error, BusError):
        code = error.exit_code
    else:
        traceback.print_exception(error)
    _log.error("failed", worker=worker, error=f"{type(error).__name__}: {error}", exit_code=code)
    sys.stderr.flush()
    os._exit(code)


async def _tell_health(app: App, path: Path) -> None:
    while True:
        write_health(path, "working" if app.joined else "joining", system_clock(), app.processor.health())
        await asyncio.sleep(WRITE_S)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _crash(app: App) -> None:
    """Wait for Faust to say that something in it crashed, and make that the process's error."""
    await app._crashed.wait()
    app.fail(app.crash_reason or RuntimeError("Faust crashed without a reason"))


async def _end(app: App, processor: Processor, tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Finish the batches under way, commit, leave the group."""
    consumer = app.bus_consumer
    consumer.stop_flow()
    await processor.revoked()
    await consumer.commit()
    await processor.close()
    try:
        await asyncio.wait_for(app.stop(), STOP_S)
    except TimeoutError:
        _log.warning("cut_off", after_s=STOP_S)
        os._exit(0)
    for task in tasks:
        task.cancel()


def to_record(message: ConsumerMessage, world: Namespace) -> Record:
    """A message as a record under its logical topic name."""
    return Record(
        world.logical(message.topic),
        message.partition,
        message.offset,
        round(message.timestamp * 1000),
        message.key,
        message.value,
        list(message.headers or ()),
    )
