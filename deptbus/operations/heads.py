"""The heads of the audit's chain that this machine has seen, so that it can tell a later cut or change.

``<run_dir>/audit/<cluster>/<topic>/<topic id>``, a head a line: they outlive the process, not the machine. Whoever
wants more keeps what ``deptbus audit verify`` tells somewhere else.
"""

from pathlib import Path

from deptbus.errors import SettingsError
from deptbus.operations.chain import EMPTY, Head, read_head


class Heads:
    """Those of one topic of one cluster. Several processes may keep heads at once.

    ``topic_id`` is None where the topic is not there.
    """

    def __init__(self, run_path: Path, cluster: str, topic: str, topic_id: str | None) -> None:
        self.topic_id = topic_id
        self.path = run_path / "audit" / _name(cluster) / topic / _name(topic_id or "none")

    def keep(self, head: Head) -> None:
        """Remember a head; ``OSError``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as file:  # a line is appended whole
            file.write(f"{head}\n")

    def seen(self) -> list[Head]:
        """Every head kept of this topic; a line that is none is passed over."""
        return _heads(self.path)

    def elsewhere(self) -> tuple[Path, Head] | None:
        """The newest head of a topic of this name that was there before this one was made, and where it is kept."""
        if not self.path.parent.is_dir():
            return None
        others = [path for path in self.path.parent.iterdir() if path != self.path]
        kept = [(path, max(_heads(path), default=EMPTY)) for path in others]
        return max(kept, key=lambda each: each[1], default=None)


def _name(kafka_id: str) -> str:
    """An id as the name of a file: some libraries write it in the alphabet of base64 that has a slash."""
    return kafka_id.replace("/", "_").replace("+", "-")


def _heads(path: Path) -> list[Head]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(read_head(line))
        except SettingsError:  # a line cut short by a full disk
            continue
    return found
