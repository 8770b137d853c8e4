"""Files that only their owner reads, replaced whole: whoever finds one finds it whole."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

from deptbus.errors import SettingsError

MODE = 0o600


def write_private(path: Path, content: bytes) -> None:
    """Replace a file, readable by its owner alone; ``SettingsError`` where it cannot be written."""
    beside = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _create(beside, content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        _keep(path.parent)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


def create_private(path: Path, content: bytes) -> None:
    """Write a file where there is none; whoever was quicker stays. ``SettingsError`` where it cannot be written."""
    beside = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _create(beside, content)
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


@contextlib.contextmanager
def changing(path: Path) -> Iterator[None]:
    """While this holds no other process changes the file: what is read within is what is replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, MODE)
    except OSError as error:
        raise SettingsError(f"{path} cannot be changed: {error.strerror or error}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _create(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
