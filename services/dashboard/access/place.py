"""Where the dashboard is served and reached: loopback or beyond, which hosts and origins are its own. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from deptbus.errors import SettingsError

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:/?#@\[\]\s]+)(:[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the dashboard is served (``host``, an address) and where people reach it (``url``, its origin)."""

    host: str
    url: str | None = None

    @property
    def secure(self) -> bool:
        """Whether people reach it by https, so that cookies travel by nothing else."""
        return self.url is not None and self.url.startswith("https://")

    @property
    def loopback(self) -> bool:
        """Whether it listens to this machine alone."""
        return is_loopback(self.host)

    @property
    def beyond(self) -> bool:
        """Whether others than this machine reach it: it listens to them, or a proxy does at its public address."""
        return not self.loopback or (self.url is not None and not is_loopback(_hostname(self.url)))

    def answers_to(self, host: str) -> bool:
        """Whether a request's Host is one of this dashboard's.

        A page of another site can make its name resolve to 127.0.0.1 (DNS rebinding), but cannot change the Host.
        """
        if not self.loopback:
            return True  # nothing is answered there without a session, which another name's cookies do not carry
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        return is_loopback(match[1]) or (self.url is not None and _same_host(host, self.url))

    def owns(self, origin: str, host: str) -> bool:
        """Whether a request's Origin is this dashboard's own, given its Host."""
        if self.url is not None and origin == self.url:
            return True
        if self.url is not None and not (self.loopback and _is_loopback_host(host)):
            return False
        scheme, _, rest = origin.partition("://")
        # A proxy may end TLS: the scheme seen here need not be the browser's.
        return scheme in _DEFAULT_PORTS and bool(host) and _same_host(host, f"{scheme}://{rest}")

    def origin(self, host: str) -> str:
        """Where a browser is sent back to, given the Host of its request, which has been checked."""
        return self.url or f"http://{host}"


def place_of(host: str, url: str | None) -> Place:
    """The place by its settings; ``SettingsError`` where the public address is none."""
    if url is None:
        return Place(host)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"BUS_DASHBOARD_URL is not usable: {error} (given: {url!r}).") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username or parts.password:
        raise SettingsError(
            f"BUS_DASHBOARD_URL is not usable: write https://host or https://host:port (given: {url!r})."
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(
            f"BUS_DASHBOARD_URL is not usable: the dashboard has a host to itself, without a path (given: {url!r})."
        )
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port is None or str(port) == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return Place(host, f"{parts.scheme}://{name}{shown}")


def is_loopback(host: str) -> bool:
    """Whether an address or name, as in a URL or bare, is this machine alone."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def local_path(wanted: str) -> str | None:
    """A path of this dashboard to come back to; None where a browser would take it for another site's."""
    if not wanted.startswith("/") or wanted[1:2] in ("/", "\\"):
        return None
    if "\\" in wanted or any(character <= " " or character == "\x7f" for character in wanted):
        return None  # browsers take a backslash for a slash, and drop line feeds and tabs
    if wanted == "/api" or wanted.startswith("/api/"):
        return None
    return wanted


def _hostname(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_loopback_host(host: str) -> bool:
    match = _HOST.fullmatch(host)
    return match is not None and is_loopback(match[1])


def _same_host(host: str, origin: str) -> bool:
    """Whether a Host and an origin name the same host and port."""
    scheme, _, rest = origin.partition("://")
    default = f":{_DEFAULT_PORTS[scheme]}"
    return host.lower().removesuffix(default) == rest.lower().removesuffix(default)
