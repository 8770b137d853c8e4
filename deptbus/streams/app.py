"""The Faust application of a stream processor.

An error ends the process, never only an agent: what was not acknowledged is delivered again to whoever comes next.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import faust
from faust.tables.manager import TableManager
from faust.types import TP
from yarl import URL

from deptbus.observe.counting import Measure
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.streams.transport import Batch, Consumer, Transport
from deptbus.streams.turn import Turns

COMMIT_S = 1.0
"""How often done offsets are committed; what a crash repeats is skipped by the offsets in the snapshots."""
BUFFER_MAX = 8
"""Batches between the consumer and an agent before fetching pauses."""


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

    async def receive(self, tp: TP, records: Sequence[Record]) -> None:
        """Take consecutive records of one partition; wait while there is no room."""

    def fetched(self, reached: Mapping[TP, int], delivered: Mapping[TP, int]) -> None:
        """Of partitions that have moved: where the next fetch begins, and the offsets after the last records handed
        on."""

    def health(self) -> dict[str, int]:
        """What was done so far, in numbers."""

    def unready(self) -> list[str]:
        """Why what is assigned is not worked on yet; from any thread."""

    def measures(self) -> Iterable[Measure]:
        """What it holds and where it stands."""

    async def close(self) -> None:
        """After the last ``revoked``: let go of everything."""


class _NoTables(TableManager):
    """There are none; Faust's own waits a second for them to be declared."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """A Faust application that declares no topics, keeps no files, and fails as a whole."""

    settings: Settings
    failure: "asyncio.Future[None]"
    processor: Processor
    turns: Turns
    """The process's."""
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


def make_app(
    settings: Settings,
    group: str,
    worker: str,
    processor: Processor,
    failure: "asyncio.Future[None]",
    turns: Turns,
) -> App:
    """The application of one member of ``group`` (physical name); ``worker`` names its slot in the group.

    ``failure`` takes the error that ends the process, ``turns`` are shared by its processors.
    """
    app = App(
        group,
        broker=[URL(f"kafka://{address.strip()}") for address in settings.bootstrap_servers.split(",")],
        broker_client_id=worker,
        broker_commit_interval=COMMIT_S,
        broker_commit_every=1_000_000_000,
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
    app.settings, app.processor, app.failure, app.turns = settings, processor, failure, turns
    topic = app.topic(*processor.topics, key_serializer="raw", value_serializer="raw", value_type=bytes)

    @app.agent(topic, name="records", concurrency=1)  # type: ignore[untyped-decorator]
    async def records(stream: Any) -> None:
        try:
            async for event in stream.noack().events():
                batch: Batch = event.message
                await processor.receive(batch.tp, batch.records)
        except Exception as error:
            app.fail(error)
            raise

    return app
