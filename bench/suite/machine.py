"""What the results were measured on."""

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from bench.suite import peers
from bench.suite.processes import ROOT

OURS = ("confluent-kafka", "fastavro", "faust-streaming", "aiokafka")
PEERS = ("confluent-kafka", "fastavro", "quixstreams", "faststream")


def describe() -> dict[str, str]:
    """Machine, system and versions, in words."""
    return {
        "cpu": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": _field("/proc/meminfo", "MemTotal"),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": _listed({name: version(name) for name in OURS}),
        "peers": _listed(dict(re.findall(rf"^({'|'.join(PEERS)})==(\S+)", peers.LOCK.read_text(), re.MULTILINE))),
        "broker": f"one, Apache Kafka {_found(r'<kafka.version>(.*?)<', ROOT / 'pom.xml')}, on this machine",
    }


def write(folder: Path, description: dict[str, str]) -> None:
    """Beside the results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "machine.json").write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _field(path: str, name: str) -> str:
    """The content of the first line ``name: content``."""
    return _found(rf"(?m)^{name}\s*:\s*(.*)$", Path(path))


def _found(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text())
    return found[1].strip() if found else "unknown"
