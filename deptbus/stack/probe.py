"""Questions that need no client library: does Kafka answer, does the registry, who has a port."""

import socket
import struct
from pathlib import Path

import httpx

_ASK_S = 2.0
_API_VERSIONS = 18


def kafka_answers(host: str, port: int) -> bool:
    """Whether a broker answers an ApiVersions request without security.

    A broker opens its listener only when it has joined the cluster, so an answer means ready.
    """
    request = struct.pack(">hhih", _API_VERSIONS, 0, 1, 7) + b"deptbus"
    try:
        with socket.create_connection((host, port), _ASK_S) as connection:
            connection.settimeout(_ASK_S)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">ih", answer[4:10]) == (1, 0)


def registry_answers(url: str) -> bool:
    """Whether the Confluent-compatible API at ``url`` lists subjects."""
    try:
        return httpx.get(f"{url}/subjects", timeout=_ASK_S, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def port_is_taken(port: int) -> bool:
    """Whether another process listens on the loopback port."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the JVM binds
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def port_holder(port: int) -> str:
    """``name (pid n)`` of the process that listens on ``port``, or ``another process``."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            cells = row.split()
            if cells[3] == "0A" and int(cells[1].rpartition(":")[2], 16) == port:  # 0A: listening
                inodes.add(f"socket:[{cells[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:  # gone meanwhile, or another user's
            continue
    return "another process"
