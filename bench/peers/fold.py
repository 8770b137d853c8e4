"""The peer of ``fold``: one pass over the same journal that decodes every entry, and the event in it, and no more.

It runs in our interpreter with our codec, the quickest decoding that there is of these values; a raw consumer hands it
the bytes.
"""

import time

from confluent_kafka import Message

from bench.peers.start import read
from bench.suite.child import serve
from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.settings import Settings


class Peer:
    """A codec of the registry's schemas."""

    def open(self) -> None:
        """Connect to the registry."""
        settings = Settings.load()
        self._servers = settings.bootstrap_servers
        with bootstrap.open_registry(settings) as registry:
            self._codec = bootstrap.load_codec(settings, load_catalogue(settings.root, system_clock()), registry)

    def decode(self, topic: str, partitions: int) -> dict[str, float]:
        """Read and decode."""
        decode, entries, bodies = self._codec.decode, 0, 0

        def take(message: Message) -> None:
            nonlocal entries, bodies
            entry = decode(message.value(), "workflow.EntryAppended")["entry"]
            entries += 1
            if entry["event"] is not None and entry["body"] is not None:
                decode(entry["body"], entry["event"]["type"])
                bodies += 1

        began = time.perf_counter()
        read(self._servers, topic, partitions, take)
        return {"seconds": time.perf_counter() - began, "entries": entries, "bodies": bodies}


def main() -> None:
    peer = Peer()
    serve({"open": peer.open, "decode": peer.decode})


if __name__ == "__main__":
    main()
