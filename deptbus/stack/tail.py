"""The ends of log files, and what is added to them."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_CHUNK_BYTES = 65_536
_POLL_S = 0.2


def last_lines(path: Path, count: int) -> list[str]:
    """The last ``count`` lines; none where the file is missing. Reads no more of it than that takes."""
    if count <= 0:
        return []
    try:
        with path.open("rb") as file:
            start = file.seek(0, 2)
            data = b""
            while start > 0 and data.count(b"\n") <= count:
                step = min(_CHUNK_BYTES, start)
                start = file.seek(start - step)
                data = file.read(step) + data
    except FileNotFoundError:
        return []
    return data.decode(errors="replace").splitlines()[-count:]


def tail(paths: Mapping[str, Path], count: int, follow: bool) -> Iterator[tuple[str, str]]:
    """(name, line) for the last lines of each file, then, while ``follow``, for lines that are added."""
    ends = {name: path.stat().st_size if path.exists() else 0 for name, path in paths.items()}
    for name, path in paths.items():
        yield from ((name, line) for line in last_lines(path, count))
    while follow:
        for name, path in paths.items():
            if not path.exists():
                continue
            if path.stat().st_size < ends[name]:  # put aside and begun anew
                ends[name] = 0
            with path.open("rb") as file:
                file.seek(ends[name])
                added = file.read()
            whole = added[: added.rfind(b"\n") + 1]
            ends[name] += len(whole)
            yield from ((name, line) for line in whole.decode(errors="replace").splitlines())
        time.sleep(_POLL_S)
