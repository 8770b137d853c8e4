"""Finds the files of alerts and reads each by itself: one that is refused never stops the rest."""

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from deptbus.errors import CodecError
from deptbus.imports.cap.alert import Read, read_bytes
from deptbus.imports.cap.finding import Finding

STDIN = "-"
SUFFIXES = (".cap", ".xml")
"""Which files of a folder are alerts, in lower or upper case."""
_SOURCE = ("source_file", "source_hash")


def find(names: Iterable[str]) -> list[str]:
    """The files that names mean, in order, each once: files, folders with all that is in them, patterns, ``-``.

    A name that means nothing comes back as it is, for ``read`` to say so.
    """
    found: dict[str, None] = {}
    for name in names:
        if name != STDIN and os.path.isdir(name):
            inside = sorted(path for path in Path(name).rglob("*") if path.suffix.lower() in SUFFIXES)
            found |= dict.fromkeys([str(path) for path in inside if not path.is_dir()] or [name])
        elif name != STDIN and not os.path.lexists(name):
            found |= dict.fromkeys(sorted(glob.glob(name, recursive=True)) or [name])
        else:
            found[name] = None
    return list(found)


def read(files: Iterable[str], bytes_max: int, encode: Callable[[str, dict[str, object]], bytes]) -> Iterator[Read]:
    """What became of each file. ``encode`` raises ``CodecError`` for an event that is too large for its topic.

    A file that says the same as an earlier one gives the same event, and a remark; one that gives its sender,
    identifier and sent to another content is refused.
    """
    first: dict[str, Read] = {}
    for file in files:
        content = _content(file, bytes_max)
        done = content if isinstance(content, Read) else read_bytes(_printable(file), content)
        if done.item is None:
            yield done
            continue
        try:
            encode(done.item.type, done.item.data)
        except CodecError as error:
            yield _refused(done.file, f"the alert does not fit into an event: {error}")
            continue
        known = first.setdefault(done.item.id, done)
        yield done if known is done else _again(done, known)


def _content(file: str, bytes_max: int) -> bytes | Read:
    shown = _printable(file)
    try:
        if file == STDIN:
            content = sys.stdin.buffer.read(bytes_max + 1)
        elif os.path.isdir(file):
            return _refused(shown, f"the folder holds no file that ends in {' or '.join(SUFFIXES)}")
        elif os.path.exists(file) and not os.path.isfile(file):
            return _refused(shown, "this is not a regular file; give its content on standard input, as -")
        else:
            with open(file, "rb") as opened:
                content = opened.read(bytes_max + 1)
    except FileNotFoundError:
        return _refused(shown, "there is no such file")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        return _refused(shown, f"the file cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(content) > bytes_max:
        return _refused(shown, f"the file is larger than {bytes_max} bytes (BUS_IMPORT_BYTES_MAX)")
    return content


def _again(done: Read, known: Read) -> Read:
    assert done.item is not None
    assert known.item is not None
    if _said(done.item.data) == _said(known.item.data):
        return replace(done, remarks=(*done.remarks, Finding(0, f"the same alert as {known.file}")))
    return _refused(
        done.file, f"sender, identifier and sent are those of {known.file}, which says something else; the first counts"
    )


def _said(data: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in data.items() if name not in _SOURCE}


def _refused(file: str, reason: str) -> Read:
    return Read(file, None, (Finding(0, reason),))


def _printable(file: str) -> str:
    """A name that can be stored and printed, whatever bytes the file system has."""
    return "<stdin>" if file == STDIN else os.fsencode(file).decode("utf-8", errors="replace")
