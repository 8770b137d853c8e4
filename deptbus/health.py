"""A worker's health as a file: ``.run/health/<worker>.json``, written every few seconds while it works."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from deptbus.settings import Settings

WRITE_S = 2.0
STALE_S = 15.0
"""A worker whose file is older does not work any more."""


def health_path(settings: Settings, worker: str) -> Path:
    """Where ``worker`` (such as ``advance-0``) of this namespace writes."""
    return settings.run_path / "health" / f"{settings.world.physical(worker)}.json"


def write_health(path: Path, state: str, now_ms: int, counts: Mapping[str, int], url: str | None = None) -> None:
    """Replace the file. ``state``: ``waiting`` for packs, ``joining`` the group, ``restoring`` states, or ``working``.

    ``url`` is where the worker's metrics are served, if they are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"pid": os.getpid(), "state": state, "at_ms": now_ms, "counts": dict(counts), "url": url}
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(orjson.dumps(content))
    temporary.replace(path)


def read_health(path: Path, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Whether the worker is well, and what it wrote; it is not where there is no file, or an old one."""
    try:
        content: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False, {"state": "absent"}
    fresh = now_ms - content["at_ms"] < STALE_S * 1000
    return fresh and content["state"] != "joining", content
