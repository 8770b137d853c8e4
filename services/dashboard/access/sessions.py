"""Sessions: what a signed cookie holds, the key it is signed with, and which were ended before their time.

Whoever comes gets a session, signed on or not: the token against forged requests hangs on it. The cookie names the
world, for cookies are shared by all ports of a host, and an exercise may be looked at beside actual life.
"""

import hashlib
import hmac
import json
import stat
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any, Literal

from itsdangerous import BadData, URLSafeSerializer

from deptbus.clock import Clock, system_clock
from deptbus.errors import SettingsError
from deptbus.namespace import Namespace
from services.dashboard.access.files import create_private, write_private

Way = Literal["none", "password", "oidc"]

KEY_BYTES = 32
ENDED_MAX = 50_000
"""So many sessions that were ended early are remembered; the one that would run out first is forgotten first."""
COOKIE_CHARS_MAX = 3_800
"""What a cookie may hold: browsers drop those above 4,096 with their name and attributes."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one browser carries. Only ``id`` and ``at_ms`` count where nobody is signed on (``way`` is ``none``)."""

    id: str
    at_ms: int
    """When it began."""
    way: Way = "none"
    name: str = ""
    mark: str = ""
    """Of what the sign-on rests on: the user's password, or the provider. Another mark there ends the session."""
    roles: tuple[str, ...] = ()
    """As the provider told them; those of a user are looked up at each request."""
    departments: tuple[str, ...] | None = ()


class Sessions:
    """Makes, reads and ends sessions. ``secure``: people come by https. Safe from several threads."""

    def __init__(
        self, folder: Path, world: Namespace, length_ms: int, *, secure: bool, clock: Clock = system_clock
    ) -> None:
        name = world.name or "actual"
        self.secure = secure
        self.length_ms = length_ms
        # The prefix makes browsers refuse it from any other host, or without TLS.
        prefix = "__Host-" if secure else ""
        self.cookie = f"{prefix}deptbus-{name}"
        self.pending_cookie = f"{prefix}deptbus-{name}-signon"
        self._clock = clock
        key = read_key(folder / "session.key")
        self._signer = _serializer(key, f"session/{name}")
        self._pending = _serializer(key, f"signon/{name}")
        self._token_key = hmac.digest(key, f"token/{name}".encode(), "sha256")
        self._ended = _Ended(folder / f"ended-{name}.json", clock)

    def begin(self) -> Session:
        """A session in which nobody is signed on."""
        return Session(token_urlsafe(16), self._clock())

    def write(self, session: Session) -> str:
        """The cookie of a session; ``ValueError`` where a browser would not keep it."""
        value = self._signer.dumps(asdict(session))
        if len(value) > COOKIE_CHARS_MAX:
            raise ValueError(f"the cookie would have {len(value)} characters")
        return value

    def read(self, cookies: Mapping[str, str]) -> Session | None:
        """The session of a browser; None where there is none, or it is forged, over or ended."""
        held = _loaded(self._signer, cookies.get(self.cookie))
        if held is None:
            return None
        try:
            held["roles"] = tuple(held["roles"])
            held["departments"] = None if held["departments"] is None else tuple(held["departments"])
            session = Session(**held)
        except (KeyError, TypeError):  # signed by another version
            return None
        if session.way != "none" and not self.holds(session):
            return None
        return session

    def holds(self, session: Session) -> bool:
        """Whether a session is neither over nor ended."""
        return self._clock() < session.at_ms + self.length_ms and session.id not in self._ended

    def end(self, session: Session) -> None:
        """From now on nobody comes with this session, even with a copy of its cookie, and after a restart too."""
        if session.way != "none":
            self._ended.add(session.id, session.at_ms + self.length_ms)

    def token(self, session: Session) -> str:
        """What every act has to carry beside the cookie: another site's page can send the cookie but not read this."""
        return hmac.digest(self._token_key, session.id.encode(), "sha256").hex()

    def accepts(self, session: Session, token: str) -> bool:
        """Whether this is the session's token."""
        return hmac.compare_digest(self.token(session).encode(), token.encode())

    def write_pending(self, pending: Mapping[str, Any]) -> str:
        """The cookie of a sign-on that has gone to the provider."""
        return self._pending.dumps(dict(pending))

    def read_pending(self, cookies: Mapping[str, str]) -> dict[str, Any] | None:
        """What ``write_pending`` wrote in this browser."""
        return _loaded(self._pending, cookies.get(self.pending_cookie))


def read_key(path: Path) -> bytes:
    """The key that cookies are signed with, made at the first start; ``SettingsError`` where it is of no use."""
    if not path.exists():
        create_private(path, token_bytes(KEY_BYTES).hex().encode() + b"\n")
    try:
        mode = path.stat().st_mode
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read as a key: {getattr(error, 'strerror', None) or 'it is not hexadecimal'}. Without "
            "it a new one is made, and everybody signs on again."
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(
            f"{path} may be read by others, who could sign on as anybody. Remove it: a new one is made, and everybody "
            "signs on again."
        )
    if len(key) < KEY_BYTES:
        raise SettingsError(f"{path} is too short for a key: remove it, and a new one is made.")
    return key


def _serializer(key: bytes, salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        key, salt=salt.encode(), signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


def _loaded(serializer: URLSafeSerializer, value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    try:
        held: dict[str, Any] = serializer.loads(value)
    except BadData:
        return None
    return held


class _Ended:
    """The sessions that were ended before their time, kept in a file until that time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}
        try:
            self._until = {str(one): int(until) for one, until in json.loads(path.read_bytes()).items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise SettingsError(
                f"{path} cannot be read ({error}); it says which sessions were ended. Remove it together with "
                f"{path.with_name('session.key')}: everybody signs on again."
            ) from None

    def __contains__(self, session: str) -> bool:
        return session in self._until

    def add(self, session: str, until_ms: int) -> None:
        with self._lock:
            now = self._clock()
            kept = {one: until for one, until in self._until.items() if until > now} | {session: until_ms}
            while len(kept) > ENDED_MAX:
                del kept[min(kept, key=kept.__getitem__)]
            self._until = kept
            write_private(self._path, json.dumps(kept).encode())
