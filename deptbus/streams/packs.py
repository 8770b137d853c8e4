"""The packs in force: activated on ``bus.packs`` and not retired. Pure; whoever reads the topic feeds it."""

from collections.abc import Mapping
from typing import Any

from deptbus.catalogue import Catalogue
from deptbus.workflow.pack import Pack


class PackShelf:
    """Packs by hash. Several of one workflow may be in force: running instances keep the one they opened with."""

    def __init__(self) -> None:
        self.packs: dict[str, Pack] = {}

    def take(self, event_type: str, data: Mapping[str, Any]) -> bool:
        """Take in one event of ``bus.packs``; whether anything changed. ``DefinitionError`` for a broken pack."""
        known = data["hash"] in self.packs
        if event_type == "bus.PackActivated" and not known:
            pack = Pack.from_bytes(data["content"])
            self.packs[pack.hash] = pack
            return True
        if event_type == "bus.PackRetired" and known:
            del self.packs[data["hash"]]
            return True
        return False

    def topics(self, catalogue: Catalogue) -> frozenset[str]:
        """The topics that hold event types which a pack in force reads (logical names)."""
        return frozenset(
            catalogue.topic_of(event_type).name for pack in self.packs.values() for event_type in pack.event_types
        )

    def inputs(self, catalogue: Catalogue) -> frozenset[str]:
        """The partitions of these topics, written ``<topic>/<number>``."""
        return frozenset(
            f"{topic}/{number}"
            for topic in self.topics(catalogue)
            for number in range(catalogue.topic(topic).partitions)
        )
