"""The path in Quix Streams: one application with two dataframes, states in its State API, at-least-once, its defaults.

States go to RocksDB and, at every checkpoint (every 5 s, its default), to the compacted changelog topic. What the
application computes with stays in the Partition in memory, so that it pays for writing states and not for reading them.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from quixstreams import Application, message_context
from quixstreams.models import Serializer
from quixstreams.state.rocksdb import RocksDBOptions

from bench.peers.path_core import Core, Out, ended_by_errors
from bench.suite.child import Handlers, serve
from deptbus.record import Record

OUTPUTS = ("workflow.tasks", "workflow.timeline", "workflow.events")


class _Value(Serializer):
    """Takes the value out of what is to be written."""

    def __call__(self, value: Out, ctx: Any) -> bytes:
        return value.value


class Stream:
    """Runs in the main thread, for Quix sets signal handlers."""

    def __init__(self) -> None:
        self._ready, self._over, self._asked = threading.Event(), threading.Event(), threading.Event()
        self._app: Application | None = None

    def start(self, servers: str, prefix: str, **core: Any) -> None:
        """Define the application; returns when it is about to run."""
        self._core = Core(**core)
        self._app = app = Application(
            broker_address=servers, consumer_group=f"{prefix}path", auto_offset_reset="earliest",
            state_dir=tempfile.mkdtemp(prefix="path-quix-"), rocksdb_options=RocksDBOptions(dumps=bytes, loads=bytes),
            producer_extra_config={"compression.type": "lz4", "message.max.bytes": 6_000_000},
            consumer_extra_config={"fetch.queue.backoff.ms": 10},
            loglevel="WARNING",
        )  # fmt: skip

        def topic(name: str) -> Any:
            return app.topic(prefix + name, value_deserializer="bytes", value_serializer=_Value())

        cases, journal = topic("health.cases"), topic("workflow.journal")
        outputs = {name: topic(name) for name in OUTPUTS}

        entries = app.dataframe(cases).apply(self._correlate, expand=True, metadata=True)
        entries = entries.set_headers(lambda out, *_: out.headers)
        entries.to_topic(journal, key=lambda out: out.key)
        outs = app.dataframe(journal).apply(self._advance, expand=True, metadata=True, stateful=True)
        outs = outs.set_headers(lambda out, *_: out.headers)
        outs.to_topic(lambda out, *_: outputs[out.topic], key=lambda out: out.key)
        self._ready.set()

    def run(self) -> None:
        """Wait for ``start`` and run the application until ``stop``."""
        self._ready.wait()
        assert self._app is not None
        with ended_by_errors():
            self._app.run()
        self._over.set()
        self._asked.wait()

    def answer(self, answers: Handlers) -> None:
        """Answer until nothing more is asked."""
        serve(answers)
        self._asked.set()

    def stop(self) -> None:
        """End the application."""
        assert self._app is not None
        self._app.stop()
        self._over.wait(30)

    def cpu_s(self) -> float:
        """The CPU time of this process so far, in seconds."""
        return time.process_time()

    def _correlate(self, value: bytes, key: bytes, timestamp: int, headers: Any) -> list[Out]:
        about = message_context()
        return self._core.correlate(
            Record("health.cases", about.partition, about.offset, timestamp, key, value, headers)
        )

    def _advance(self, value: bytes, key: bytes, timestamp: int, headers: Any, state: Any) -> Iterator[Out]:
        about = message_context()
        for output in self._core.advance(about.partition, [(about.offset, value)]):
            if output.topic == "workflow.instances":
                if output.type in ("workflow.InstanceChanged", "workflow.KeyChanged"):
                    state.set(output.type.encode(), output.value(self._core.codec.encode))
            else:
                yield self._core.written(output)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    stream = Stream()
    answers = {"start": stream.start, "stop": stream.stop, "cpu_s": stream.cpu_s}
    threading.Thread(target=stream.answer, args=(answers,), daemon=True).start()
    stream.run()
