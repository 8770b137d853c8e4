"""Finds ``services/<department>/notifications.yaml`` and checks them; whatever is wrong names file and line."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path, PurePath
from urllib.parse import SplitResult, urlsplit

from deptbus.catalogue import Catalogue
from deptbus.errors import CatalogueError, NotFound
from deptbus.notify.config import EVENT_OF, WORDS, Channel, ChannelPart, NotificationsFile
from deptbus.topics.yamlfile import Lines, read_yaml
from deptbus.workflow.load import workflow_names

FILE = "notifications.yaml"


def load_channels(root: Path, catalogue: Catalogue, at_ms: int) -> list[Channel]:
    """The channels of every department that has any; ``CatalogueError``. ``at_ms``: grants must hold then."""
    workflows = workflow_names(root)
    found: list[Channel] = []
    for path in sorted((root / "services").glob(f"*/{FILE}")):
        shown = path.relative_to(root).as_posix()
        department = path.parent.name
        file, lines = read_yaml(path, shown, NotificationsFile, CatalogueError, WORDS)
        if department not in catalogue.departments:
            raise CatalogueError(f"{shown}, line 1: {department} is no department; add its department.yaml.")
        names: set[str] = set()
        for index, part in enumerate(file.channels):
            where = _Where(shown, lines, index)
            if part.name in names:
                raise where.error("name", f"the channel {part.name} stands twice; rename one")
            names.add(part.name)
            _check(part, where, workflows)
            topics = _readable(part, department, where, catalogue, at_ms)
            found.append(Channel(department, part, where.place(), topics))
    return found


def choose(channels: Iterable[Channel], departments: Iterable[str]) -> list[Channel]:
    """Those of some departments, all without any; ``NotFound`` for a department that has none."""
    wanted = dict.fromkeys(departments)
    found = list(channels)
    for department in wanted:
        if not any(channel.department == department for channel in found):
            raise NotFound(f"{department} has no channel; add services/{department}/{FILE}.")
    return [channel for channel in found if not wanted or channel.department in wanted]


def find(channels: Iterable[Channel], name: str) -> Channel:
    """The channel called ``<department>/<name>``; ``NotFound``."""
    known = {channel.id: channel for channel in channels}
    if name not in known:
        raise NotFound(f"There is no channel {name}; there are {', '.join(known) or 'none'}.")
    return known[name]


def is_silent(channel: Channel, namespace: str) -> bool:
    """Whether a channel has nothing to say in a namespace: it tells of exercises only where it names them."""
    return bool(namespace) and namespace not in (*channel.part.in_exercises, *channel.part.in_tests)


class _Where:
    """Where one channel stands."""

    def __init__(self, shown: str, lines: Lines, index: int) -> None:
        self._shown, self._lines, self._index = shown, lines, index

    def place(self, *path: str | int) -> str:
        return f"{self._shown}, line {self._lines.of('channels', self._index, *path)}"

    def error(self, path: str | tuple[str | int, ...], message: str) -> CatalogueError:
        return CatalogueError(f"{self.place(*((path,) if isinstance(path, str) else path))}: {message}.")


def _check(part: ChannelPart, where: _Where, workflows: Iterable[str]) -> None:
    known = tuple(workflows)
    for number, name in enumerate(part.workflows):
        if name not in known:
            raise where.error(("workflows", number), f"there is no workflow {name}; there are {', '.join(known)}")
    if part.kind == "file":
        _check_file(part, where)
    else:
        _check_webhook(part, where)


def _check_file(part: ChannelPart, where: _Where) -> None:
    for name in ("url", "secrets", "plain_http"):
        if getattr(part, name):
            raise where.error(name, f"{name} belongs to channels of kind webhook; remove it")
    if not part.path:
        raise where.error((), f"the channel {part.name} writes a file; add its path")
    if ".." in PurePath(part.path).parts:
        raise where.error("path", "the path leads out of the run directory; write it without .. or absolute")


def _check_webhook(part: ChannelPart, where: _Where) -> None:
    if part.path is not None:
        raise where.error("path", "path belongs to channels of kind file; remove it")
    if not part.url:
        raise where.error((), f"the channel {part.name} calls a webhook; add its url")
    try:
        url = urlsplit(part.url)
        local = url.port != 0 and _is_loopback(url)  # .port raises for what is no number
    except ValueError as error:
        raise where.error("url", f"the url cannot be read: {error}") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise where.error("url", "a url is https://host/path, or http:// to this machine")
    if url.username or url.password:
        raise where.error("url", "a url holds no user or password: the signature tells who calls; remove them")
    if url.scheme == "http" and not local and not part.plain_http:
        raise where.error("url", "http to another machine can be read on the way; use https, or say plain_http: true")
    for number, secret in enumerate(part.secrets):
        if (secret.env is None) == (secret.file is None):
            raise where.error(("secrets", number), "a secret names either env or file")
    if not part.secrets and not local:
        raise where.error("url", "a receiver on another machine needs secrets; name an env or a file for each")


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _readable(part: ChannelPart, department: str, where: _Where, catalogue: Catalogue, at_ms: int) -> tuple[str, ...]:
    """The topics that tell of what is wanted; all of them must be the department's to read (I9)."""
    topics: dict[str, None] = {}
    for number, what in enumerate(part.what):
        topic = catalogue.topic_of(EVENT_OF[what])
        if catalogue.may_read(department, topic.name, at_ms) is None:
            raise where.error(
                ("what", number),
                f"{what} stands on {topic.name}, and no grant of it to {department} is in force; {topic.owner} "
                f"can grant it in topics/{topic.owner}.yaml",
            )
        topics[topic.name] = None
    return tuple(topics)
