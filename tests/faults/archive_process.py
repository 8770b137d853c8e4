"""What is killed in the middle: the process that makes an archive, and the one that restores it, with small blocks."""

from pathlib import Path

from deptbus import failpoint
from deptbus.operations.archive import restore as restoring
from deptbus.operations.archive import writing
from deptbus.operations.archive.reading import Archive
from deptbus.settings import Settings
from tests.operations.archiving import archive_of, restored
from tests.operations.kafka_topics import Topics

FILE_BYTES = 6_000


def make(settings: Settings, folder: Path, armed: str | None) -> None:
    """Archive a namespace."""
    failpoint.arm(armed)
    writing.BLOCK_RECORDS = 40
    archive_of(Topics(settings), folder, file_bytes=FILE_BYTES)


def bring_back(settings: Settings, folder: Path, armed: str | None) -> None:
    """Restore an archive; ends with an error where what is read back differs."""
    failpoint.arm(armed)
    restoring.SHARE = 50
    done = restored(Archive(folder), Topics(settings))
    assert done.differences == []
