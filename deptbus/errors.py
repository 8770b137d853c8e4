"""Every error that deptbus raises on purpose, in one tree.

Each message says what happened, where (file and line, or topic, partition, offset and event id) and what to do.
A command prints the message alone and ends with the class's ``exit_code``; only what is not a ``BusError`` shows
a traceback.
"""


class BusError(Exception):
    """The root of the tree."""

    exit_code = 2


class SettingsError(BusError):
    """A setting is missing or does not hold together."""


class StackError(BusError):
    """Broker or registry cannot be started, stopped or found on this machine."""


class ClusterUnreachable(BusError):
    """No broker answers at the configured addresses."""


class RegistryError(BusError):
    """The schema registry does not answer, or answers with an error."""


class CatalogueError(BusError):
    """Departments, schemas, topics and grants on disk do not hold together."""


class SchemaError(CatalogueError):
    """A schema file is broken or breaks a naming rule."""


class SchemaIncompatible(SchemaError):
    """A schema version would break a reader."""


class TopicError(CatalogueError):
    """A topic file is broken, or a change of a topic is refused."""


class DefinitionError(CatalogueError):
    """A workflow definition, rule table, calendar or responsibility list is broken."""


class ScenarioError(CatalogueError):
    """A scenario of an exercise is broken."""


class PackRefused(CatalogueError):
    """A pack would break a running instance."""


class CodecError(BusError):
    """A value or its headers cannot be encoded or decoded; see ``reason``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotGranted(BusError):
    """A department reads a topic without a grant in force."""


class NotOwner(BusError):
    """A department publishes to a topic that another department owns."""


class PublishFailed(BusError):
    """The broker refused an event, or it was given up before it was sent: it is not on the topic."""


class PublishUnknown(BusError):
    """An event was sent and no answer came: it may or may not be on the topic."""


class LetterUnwritten(BusError):
    """A dead letter cannot be written now: what is before it waits, and is tried again (I7)."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"The dead letter of the record at {offset} cannot be written: {reason}.")
        self.offset = offset
        self.reason = reason


class TransactionUnclear(BusError):
    """A transaction's commit or abort has no certain end: close its producer and make a new one (I4)."""


class TransactionFenced(BusError):
    """Another producer has the same transactional id: this process does not own the partition any more (I4)."""


class Retry(BusError):
    """A handler raises this to have the same event delivered again after a pause."""


class ImportRefused(BusError):
    """An import cannot start at all (no such folder, no such province)."""


class ExportRefused(BusError):
    """What is asked for cannot be written in another system's format."""


class ActRefused(BusError):
    """What an officer or commander asks for cannot be done as asked."""


class AuditRefused(BusError):
    """What operators do must go on record, and this could not."""


class IndexUnusable(BusError):
    """The index of lineage cannot be read or written."""


class NotFound(BusError):
    """No instance, task, topic or event of that name."""


class ArchiveRefused(BusError):
    """An archive cannot be made, read or restored as asked."""


class ArchiveUnfinished(ArchiveRefused):
    """An archive or a restore stopped on the way; what stands is whole, and the same command goes on with it."""

    exit_code = 1


class ArchiveBroken(ArchiveRefused):
    """Files of an archive are not as they were written; the message names file, block and record."""

    exit_code = 3
