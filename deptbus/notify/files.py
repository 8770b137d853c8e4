"""Delivers to a JSON-lines file: one notification a line, on the disk before it counts as delivered."""

import asyncio
import os
from pathlib import Path

from deptbus.notify.message import Notification
from deptbus.notify.schedule import Verdict


class FileSink:
    """Appends to one file, which others may rotate by renaming it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def deliver(self, notification: Notification) -> Verdict:
        """Append and fsync; a disk that refuses is a receiver that is away."""
        try:
            await asyncio.to_thread(_append, self._path, notification.body())
        except OSError as error:
            return Verdict("away", f"{self._path}: {error.strerror}")
        return Verdict("delivered")

    async def close(self) -> None:
        """Nothing is kept open."""


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        end = os.fstat(descriptor).st_size
        torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # a crash or a full disk cut the last line off
        whole = (b"\n" if torn else b"") + line + b"\n"
        written = os.write(descriptor, whole)
        if written < len(whole):
            raise OSError(0, f"only {written} of {len(whole)} bytes could be written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
