"""One look at the lineage of the namespace that the settings name: the index, the groups, and what dead letters say."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from deptbus import bootstrap
from deptbus.catalogue import Catalogue
from deptbus.deadletters import TYPE as DEAD_LETTERED
from deptbus.errors import CodecError, IndexUnusable, NotFound
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.kafka.groups import Groups
from deptbus.operations.lineage.chain import Chain, chain_of_event, chain_of_instance
from deptbus.operations.lineage.index import Index
from deptbus.operations.lineage.indexing import Indexer, Progress
from deptbus.operations.lineage.rows import Place, packed
from deptbus.operations.lineage.told import Failure, Teller, ids_of, letter_places
from deptbus.settings import Settings

PREFIX_MIN = 6
"""So many hexadecimal digits of an id at least are looked for."""
_UUID_DIGITS = 32
_FOUND_MAX = 5
_FAILURES_MAX = 20
"""So many dead letters are read for what they say; of the others it is told that they are there."""


class Tracing:
    """See the module. ``catalogue`` names departments."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._indexer = Indexer(settings)

    def bring_up_to_date(self, progress: Progress) -> None:
        """Read what stands on the topics and is not in the index yet."""
        self._indexer.bring_up_to_date(progress)

    def of_event(self, event_id: str, count_max: int, *, whole: bool = False) -> tuple[Chain, Teller]:
        """The chain of an event, by its id or its first digits; ``NotFound``."""
        with self._index() as index:
            full = self._full(index, event_id)
            chain = chain_of_event(index, packed(full.encode()), count_max, whole=whole)
            if chain is None:
                raise NotFound(
                    f"There is no event {event_id} on any topic{self._where}; retention may have taken it, or it is of "
                    "another namespace (BUS_NAMESPACE)."
                )
            return chain, self._teller(index, chain)

    def of_instance(self, instance: str, count_max: int) -> tuple[Chain, Teller]:
        """The chain of an instance, by its id, or the latest of a key; ``NotFound``."""
        with self._index() as index:
            name = instance.strip("/")
            chain = chain_of_instance(index, name, count_max)
            if chain is None and (all_of_key := index.instances_of(name)):
                latest = max(all_of_key, key=lambda one: int(one.rpartition("/")[2]))
                chain = chain_of_instance(index, latest, count_max)
            if chain is None:
                raise NotFound(f"There is no instance {instance}{self._where}; see `deptbus incidents list`.")
            return chain, self._teller(index, chain)

    @property
    def _where(self) -> str:
        return f" of the namespace {self._settings.namespace}" if self._settings.namespace else ""

    def _full(self, index: Index, event_id: str) -> str:
        """The id that these are the first digits of, if they are."""
        digits = event_id.replace("-", "").lower()
        short = PREFIX_MIN <= len(digits) < _UUID_DIGITS and not set(digits) - set("0123456789abcdef")
        if not short or index.by_ids([packed(event_id.encode())]):
            return event_id
        found = index.by_prefix(digits, _FOUND_MAX)
        if len(found) > 1:
            raise NotFound(f"Several events begin with {event_id}: {', '.join(found)}; give more of the id.")
        return found[0] if found else event_id

    def _teller(self, index: Index, chain: Chain) -> Teller:
        groups = Groups(client_configuration(self._settings), self._settings.world)
        return Teller(
            self._catalogue,
            groups.committed(groups.names()),
            self._failures(chain),
            index.foreign(ids_of(chain)),
        )

    def _failures(self, chain: Chain) -> dict[bytes, Failure]:
        places = letter_places(chain, _FAILURES_MAX)
        if not places:
            return {}
        with bootstrap.open_registry(self._settings) as registry:
            codec = bootstrap.load_codec(self._settings, self._catalogue, registry, {DEAD_LETTERED})
        configuration, physical = reader_configuration(self._settings), self._settings.world.physical
        found = {}
        for letter, (topic, partition, offset) in places:
            for record in read_partition(configuration, physical(topic), partition, offset, offset + 1):
                try:
                    data = codec.decode(record.value, DEAD_LETTERED)
                except CodecError:
                    continue
                found[letter] = Failure(
                    self._settings.world.logical(data["group"]), data["reason"], data["message"], data["attempts"],
                    Place(topic, partition, offset),
                )  # fmt: skip
        return found

    @contextmanager
    def _index(self) -> Iterator[Index]:
        path = self._indexer.path
        try:
            index = Index(path)
            try:
                yield index
            finally:
                index.close()
        except sqlite3.Error as error:
            raise IndexUnusable(
                f"The index {path} cannot be read ({error}); delete it, and the next trace makes it anew."
            ) from error
