"""The file of users: who may sign on with a password, in which roles, for which departments.

The commands write it, whole and readable by its owner alone; the server only reads it, again whenever it has changed.
"""

import json
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from deptbus.errors import ActRefused, CatalogueError, SettingsError
from deptbus.logs import logger
from deptbus.settings import Settings
from deptbus.topics.yamlfile import read_yaml
from services.dashboard.access.files import changing, write_private
from services.dashboard.access.passwords import is_hash
from services.dashboard.access.people import Person, Role

NAME_MAX = 100
"""Characters of a name at most."""

_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f]*")
_HEAD = "# Who may sign on to the dashboard. Written by `deptbus-dashboard users`, which keeps no comments.\n"
_log = logger("services.dashboard.access.users")


class User(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[Role, ...] = Field(min_length=1)
    departments: tuple[str, ...] | Literal["all"]
    # Anything at all, checked below: what pydantic says of a value that is wrong repeats the value.
    password: Any = Field(repr=False)

    def person(self, name: str) -> Person:
        """Who this is once signed on."""
        return Person(name, frozenset(self.roles), None if self.departments == "all" else frozenset(self.departments))


Users = Mapping[str, User]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    users: dict[str, User] = Field(default_factory=dict)


def users_path(settings: Settings) -> Path:
    """Where the file of users is."""
    if settings.dashboard_users is not None:
        return (settings.root / settings.dashboard_users).absolute()
    return settings.run_path / "dashboard" / "users.yaml"


def same_name(name: str) -> str:
    """A name as it is kept and looked up."""
    return unicodedata.normalize("NFC", name.strip())


def check_name(name: str) -> str:
    """The name as it is kept; ``ActRefused`` where it is none."""
    kept = same_name(name)
    if len(kept) > NAME_MAX or not _NAME.fullmatch(kept) or not kept.isprintable():
        raise ActRefused(
            f"{kept[:NAME_MAX]!r} is no name of a user: it begins with a letter or digit, holds no control characters "
            f"and has at most {NAME_MAX} characters."
        )
    return kept


def read_users(path: Path) -> Users:
    """Everybody in the file, nobody where there is none; ``SettingsError`` names what is wrong and shows no secret."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return MappingProxyType({})
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(f"{path} may be written by others, who could sign on as anybody: chmod 600 {path}")
    try:
        file, lines = read_yaml(path, str(path), _File, CatalogueError)
    except CatalogueError as error:
        raise SettingsError(str(error)) from None
    for name, user in file.users.items():
        line = f"{path}, line {lines.of('users', name)}"
        if name != same_name(name):
            raise SettingsError(f"{line}: the name {name!r} is not written as it is looked up: {same_name(name)!r}.")
        if not is_hash(user.password):
            raise SettingsError(
                f"{line}: the password of {name} is kept as no argon2id hash; set it with "
                f"`deptbus-dashboard users change {name} --new-password`."
            )
    return MappingProxyType(file.users)


def change_users(path: Path, change: Callable[[dict[str, User]], None]) -> None:
    """Change the file while nobody else does; ``SettingsError`` where it cannot be read or written."""
    with changing(path):
        users = dict(read_users(path))
        change(users)
        write_private(path, _text(users).encode())


def _text(users: Users) -> str:
    """The file; strings are quoted as in JSON, which is YAML too, so that a name like 007 stays one."""
    lines = [_HEAD, "users:\n" if users else "users: {}\n"]
    for name, user in sorted(users.items()):
        departments = "all" if user.departments == "all" else _quoted(user.departments)
        lines += [
            f"  {_quoted(name)}:\n",
            f"    roles: [{', '.join(user.roles)}]\n",
            f"    departments: {departments}\n",
            f"    password: {_quoted(user.password)}\n",
        ]
    return "".join(lines)


def _quoted(value: str | tuple[str, ...]) -> str:
    return json.dumps(value, ensure_ascii=False)


class UserFile:
    """The file as it stands at each moment.

    While it is broken, as by an editor that is not done, what was read last holds, and the log says so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = self._state()
        self._users = read_users(path)

    def users(self) -> Users:
        """Everybody who may sign on with a password now."""
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._users = read_users(self.path)
            except SettingsError as error:
                _log.error("the file of users is broken; what was read before it still holds", why=str(error))
        return self._users

    def user(self, name: str) -> User | None:
        """The entry of a name."""
        return self.users().get(name)

    def _state(self) -> tuple[int, int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode
