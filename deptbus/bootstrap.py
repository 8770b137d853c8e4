"""The wiring: from settings to a connected bus. Nothing else puts the parts together."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from deptbus import deadletters, logs
from deptbus.batch import Limits
from deptbus.bus import Bus
from deptbus.catalogue import BUS_OWNERS, Catalogue, load_catalogue
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec, RegisteredSchema
from deptbus.errors import BusError, NotFound
from deptbus.ids import IdSource, random_id
from deptbus.inbox import Inbox
from deptbus.kafka.admin import Admin
from deptbus.kafka.auditlog import KafkaAuditLog
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.transport import KafkaTransport
from deptbus.namespace import Namespace
from deptbus.observe.process import observing
from deptbus.operations import acts
from deptbus.operations.acts import ActReader, ActWriter
from deptbus.operations.audit import AuditLog, Auditor
from deptbus.operations.chain import Head
from deptbus.operations.heads import Heads
from deptbus.publishing import source_of
from deptbus.registry import Registry
from deptbus.schemas.codecs import SchemaKey, codec_schema, codec_schemas
from deptbus.schemas.registration import resolve_ids
from deptbus.schemas.store import SchemaStore
from deptbus.settings import Settings, system_account
from deptbus.transport import Sender, Transport

if TYPE_CHECKING:
    from deptbus.observe.tracing import Tracer

UNKNOWN_IDS_MAX = 1_000
"""Schema ids of which the registry has said that it does not know them, remembered so as not to ask again."""


def connect(
    settings: Settings,
    owner: str,
    *,
    catalogue: Catalogue | None = None,
    codec: Codec | None = None,
    transport: Transport | None = None,
    clock: Clock = system_clock,
    ids: IdSource = random_id,
    group: str | None = None,
    process: str | None = None,
    inbox: Inbox | None = None,
    sender: Sender | None = None,
) -> Bus:
    """The bus of a department, or of ``workflow`` or ``bus``; what is not given is made from the settings.

    Raises ``CatalogueError``, ``RegistryError``, or ``NotFound`` for an unknown department.
    """
    catalogue = catalogue or load_catalogue(settings.root, clock())
    if owner not in catalogue.departments and owner not in BUS_OWNERS:
        known = ", ".join(sorted(catalogue.departments))
        raise NotFound(f"There is no department {owner}; there are {known}. Add services/{owner}/department.yaml.")
    registry = open_registry(settings)
    codec = codec or load_codec(settings, catalogue, registry)
    return Bus(
        owner,
        catalogue,
        codec,
        transport or KafkaTransport(settings),
        namespace=settings.world,
        clock=clock,
        ids=ids,
        group=group,
        process=process,
        inbox=inbox,
        limits=limits(settings),
        learn=learner(codec, registry),
        sender=sender,
        observing=lambda bus: observing(settings, bus.group, bus.unready),
        tracer=open_tracer(settings),
    )


def open_tracer(settings: Settings) -> "Tracer | None":
    """What records the traces of this process, always the same one; None where they are sent nowhere."""
    if not settings.otlp_endpoint or settings.trace_ratio == 0:
        return None
    from deptbus.observe.tracing import exporting  # noqa: PLC0415  # OpenTelemetry is loaded where it is used

    return exporting(settings.otlp_endpoint, settings.trace_ratio, settings.namespace)


def open_registry(settings: Settings) -> Registry:
    """A client of the registry that the settings name; it connects at its first request."""
    password = settings.schema_registry_password
    return Registry(
        settings.schema_registry_url,
        settings.schema_registry_user,
        password.get_secret_value() if password else None,
    )


def load_codec(
    settings: Settings, catalogue: Catalogue, registry: Registry, types: Collection[str] | None = None
) -> Codec:
    """The codec of every schema on disk, or of those of some event types, with the registry's ids."""
    schemas = catalogue.schemas
    if types is not None:
        schemas = SchemaStore(file for file in schemas.all() if file.type in types)
    return _codec(settings, catalogue, codec_schemas(schemas, resolve_ids(registry, schemas)))


def make_codec(settings: Settings, catalogue: Catalogue, ids: Mapping[SchemaKey, int]) -> Codec:
    """The codec of every schema on disk under the given ids."""
    return _codec(settings, catalogue, codec_schemas(catalogue.schemas, ids))


def _codec(settings: Settings, catalogue: Catalogue, schemas: Iterable[RegisteredSchema]) -> Codec:
    larger = {  # states, and entries that carry an event of the largest size
        event_type: topic.message_bytes_max - deadletters.OVERHEAD_BYTES
        for topic in catalogue.topics.values()
        if topic.owner == "workflow"
        for event_type in topic.event_types
    }
    if deadletters.TOPIC in catalogue.topics:
        limit = catalogue.topic(deadletters.TOPIC).message_bytes_max
        larger[deadletters.TYPE] = limit - deadletters.OVERHEAD_BYTES
    return Codec(schemas, settings.value_bytes_max, larger)


def open_auditor(
    settings: Settings,
    catalogue: Catalogue | None = None,
    codec: Codec | None = None,
    *,
    owner: str = "bus",
    process: str | None = None,
    operator: str | None = None,
    clock: Clock = system_clock,
    ids: IdSource = random_id,
) -> Auditor:
    """The recorder of what is done to the bus, for the bus's own commands and processes, or for a department.

    ``operator``: who acts, by default as the settings say. Close it. The broker is not asked before the first act.
    """
    catalogue = catalogue or load_catalogue(settings.root, clock())
    registry = open_registry(settings)
    codec = codec or load_codec(settings, catalogue, registry, {acts.TYPE})
    reader = ActReader(codec, learner(codec, registry))
    return make_auditor(
        KafkaAuditLog(settings, reader.read), catalogue, codec, reader, settings.world,
        owner=owner, process=process, operator=operator or settings.operator, clock=clock, ids=ids,
        keep=_keeper(settings),
    )  # fmt: skip


def make_auditor(
    log: AuditLog,
    catalogue: Catalogue,
    codec: Codec,
    reader: ActReader,
    world: Namespace,
    *,
    owner: str,
    process: str | None,
    operator: str,
    clock: Clock,
    ids: IdSource,
    keep: Callable[[Head], None] = lambda head: None,
) -> Auditor:
    """The recorder on any log."""
    classification = catalogue.topic(acts.TOPIC).classification
    writer = ActWriter(codec, source_of(owner, process), world.mode, classification)
    return Auditor(log, writer, reader, operator=operator, account=system_account(), clock=clock, ids=ids, keep=keep)


def open_heads(settings: Settings) -> Heads:
    """The heads of the audit that this machine has seen; ``ClusterUnreachable``, ``TopicError``."""
    cluster, topic_id = Admin(client_configuration(settings)).identity(settings.world, acts.TOPIC)
    return Heads(settings.run_path, cluster, settings.world.physical(acts.TOPIC), topic_id)


def _keeper(settings: Settings) -> Callable[[Head], None]:
    """Keeps heads where this machine can; an act is on record all the same."""
    heads: list[Heads] = []

    def keep(head: Head) -> None:
        try:
            if not heads:
                heads.append(open_heads(settings))
            heads[0].keep(head)
        except (OSError, BusError) as error:
            logging.getLogger("deptbus.audit").warning("the head %s is not kept on this machine: %s", head, error)

    return keep


def limits(settings: Settings) -> Limits:
    """The bounds of a subscriber."""
    return Limits(
        attempts_max=settings.handler_attempts_max,
        backoff_ms=settings.handler_backoff_ms,
        backoff_max_ms=settings.handler_backoff_max_ms,
        inbox_max=settings.inbox_max,
    )


def learner(codec: Codec, registry: Registry) -> Callable[[int], bool]:
    """Asks the registry, once for each id, for a schema that was registered after this process started."""
    unknown: dict[int, None] = {}

    def learn(schema_id: int) -> bool:
        if schema_id in unknown:
            return False
        schema = registry.schema_by_id(schema_id)
        if schema is None or "name" not in schema:
            unknown[schema_id] = None
            if len(unknown) > UNKNOWN_IDS_MAX:
                del unknown[next(iter(unknown))]
            return False
        event_type = f"{schema.get('namespace', '')}.{schema['name']}".lstrip(".")
        codec.add(codec_schema(event_type, 0, schema_id, schema))
        return True

    return learn


def configure_logs(settings: Settings) -> None:
    """Set the logs of this process up."""
    logs.configure(settings)
