"""Ports for what runs in a test."""

import contextlib
import random
import socket

PORTS = range(20_000, 32_768)
"""Below those that the kernel gives to outgoing connections, which may take one between its choice and its use."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports from {PORTS[0]} to {PORTS[-1]}")
