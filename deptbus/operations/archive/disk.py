"""How the files of an archive are written: under a temporary name, flushed to the disk, then given their own.

So a file that has its name is whole, whatever happens to process or machine.
"""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deptbus.errors import ArchiveRefused, ArchiveUnfinished

PART = ".part"
"""How the temporary name of a file ends."""
_HASHED_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Disk:
    """One folder. Everything in it is for its owner alone: archives hold what topics hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder where it is not there."""
        with self.guarded():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, name: str) -> BinaryIO:
        """A new file under its temporary name; what an earlier attempt left there goes."""
        path = self.folder / f"{name}{PART}"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(path, "wb", opener=lambda where, flags: os.open(where, flags, 0o600))

    def finish(self, file: BinaryIO, name: str) -> None:
        """Flush a file that was begun to the disk, close it and give it its name."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        path = self.folder / name
        (self.folder / f"{name}{PART}").replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def write(self, name: str, content: bytes) -> None:
        """A small file in one go."""
        with self.begin(name) as file:
            file.write(content)
            self.finish(file, name)

    def remove(self, path: Path) -> None:
        """Take a file away."""
        path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Take away what has only a temporary name."""
        for path in self.folder.rglob(f"*{PART}"):
            path.unlink()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What the system says of a full or broken disk becomes one sentence; unfinished files are taken away."""
        try:
            yield
        except OSError as error:
            if self.folder.is_dir():
                self.sweep()
            if error.errno in _FULL:
                raise ArchiveUnfinished(
                    f"The disk of {self.folder} is full; what is archived so far is whole. Make room and give the same "
                    "command again: it goes on from there."
                ) from None
            raise ArchiveRefused(f"{error.filename or self.folder} cannot be written: {error.strerror}.") from None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while content := file.read(_HASHED_BYTES):
            found.update(content)
    return found.hexdigest()
