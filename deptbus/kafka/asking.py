"""Asks one broker what librdkafka cannot ask: the quorum, its log directories, its features, to let a member go."""

import secrets
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from deptbus.errors import ClusterUnreachable
from deptbus.kafka import wire
from deptbus.kafka.scram import HASHES, Scram
from deptbus.settings import Settings

T = TypeVar("T")
_REPLY_S = 5.0
_ANSWER_BYTES_MAX = 64 * 1024 * 1024


class Broker:
    """A connection to one broker, let in as the settings say. A context manager; ``ClusterUnreachable``."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self._settings = settings
        self._where = f"{host}:{port}"
        self._number = 0
        try:
            self._socket: socket.socket = socket.create_connection((host, port), _REPLY_S)
        except OSError as error:
            raise self._away(error) from None
        try:
            if settings.security_protocol.endswith("SSL"):
                self._socket = _context(settings).wrap_socket(self._socket, server_hostname=host)
            self._features = self._send(wire.API_VERSIONS, wire.features_request(), wire.read_features)
            if settings.security_protocol.startswith("SASL"):
                self._let_in()
        except BaseException as error:
            self._socket.close()
            raise self._away(error) if isinstance(error, OSError) else error from None

    def features(self) -> wire.Features:
        """What it can do, and the features that the cluster runs with."""
        return self._features

    def quorum(self) -> wire.Quorum:
        """The controllers, as their leader sees them; the broker passes the question on."""
        return self._ask(wire.QUORUM, wire.quorum_request(), wire.read_quorum)

    def log_dirs(self) -> list[wire.LogDir]:
        """Where this broker keeps partitions."""
        return self._ask(wire.LOG_DIRS, wire.log_dirs_request(), wire.read_log_dirs)

    def coordinator(self, group: str) -> tuple[str, int]:
        """Host and port of the broker that keeps a group."""
        return self._ask(wire.COORDINATOR, wire.coordinator_request(group), wire.read_coordinator)

    def leave(self, group: str, instance: str) -> None:
        """Have the static member of a name leave its group, which this broker keeps."""
        self._ask(wire.LEAVE, wire.leave_request(group, instance), wire.read_left)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _ask(self, api: wire.Api, body: bytes, read: Callable[[wire.Answer], T]) -> T:
        if not self._features.takes(api):
            raise ClusterUnreachable(f"The broker at {self._where} is too old to be asked that.")
        try:
            return self._send(api, body, read)
        except OSError as error:
            raise self._away(error) from None

    def _send(self, api: wire.Api, body: bytes, read: Callable[[wire.Answer], T]) -> T:
        self._number += 1
        self._socket.sendall(wire.request(api, self._number, body))
        length = int.from_bytes(self._receive(4), "big")
        if length > _ANSWER_BYTES_MAX:
            raise ClusterUnreachable(f"What answers at {self._where} is no broker; check BUS_SECURITY_PROTOCOL.")
        answer = wire.Answer(self._receive(length))
        answer.number(4)
        if api.flexible and api is not wire.API_VERSIONS:  # its answer's head is always of the first kind
            answer.tags()
        return read(answer)

    def _receive(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = self._socket.recv(size - len(found))
            if not part:
                raise ConnectionResetError("it closes the connection")
            found += part
        return bytes(found)

    def _let_in(self) -> None:
        settings = self._settings
        mechanism, user = settings.sasl_mechanism or "PLAIN", settings.sasl_username or ""
        password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
        self._send(wire.HANDSHAKE, wire.text(mechanism), self._no_error)
        if mechanism not in HASHES:
            self._authenticate(f"\0{user}\0{password}".encode())
            return
        talk = Scram(mechanism, user, password, secrets.token_urlsafe(24))
        talk.verify(self._authenticate(talk.final(self._authenticate(talk.first()))))

    def _authenticate(self, said: bytes) -> bytes:
        return self._send(wire.AUTHENTICATE, wire.data(said), self._said)

    def _said(self, answer: wire.Answer) -> bytes:
        self._no_error(answer)
        answer.text()
        return answer.take(max(0, answer.number(4)))

    def _no_error(self, answer: wire.Answer) -> None:
        if answer.number(2):
            raise ClusterUnreachable(
                f"The broker at {self._where} does not let us in; check BUS_SASL_MECHANISM, BUS_SASL_USERNAME and "
                "BUS_SASL_PASSWORD."
            )

    def _away(self, error: OSError) -> ClusterUnreachable:
        return ClusterUnreachable(f"The broker at {self._where} does not answer ({error}).")


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(settings.ssl_ca_location) if settings.ssl_ca_location else None)
    if settings.ssl_certificate_location:
        key = settings.ssl_key_location
        context.load_cert_chain(str(settings.ssl_certificate_location), str(key) if key else None)
    return context
