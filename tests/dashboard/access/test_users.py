"""The file of users, and the commands that change it."""

import json
import os
import pty
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deptbus.errors import ActRefused, BusError, NotFound, SettingsError
from services.dashboard.access.commands import app
from services.dashboard.access.passwords import hash_password, is_right
from services.dashboard.access.users import read_users
from tests.broker import ROOT
from tests.dashboard.access.serving import PASSWORD, local_settings, put_user


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands of this test keep users."""
    monkeypatch.setenv("BUS_ROOT", str(ROOT))
    monkeypatch.setenv("BUS_RUN_DIR", str(tmp_path))
    return tmp_path / "dashboard" / "users.yaml"


def _run(*arguments: str, password: str | None = None) -> Result:
    given = [*arguments, "--password-stdin"] if password is not None else list(arguments)
    return CliRunner().invoke(app, given, input=None if password is None else f"{password}\n")


def _refused(*arguments: str, password: str | None = None) -> BusError:
    result = _run(*arguments, password=password)
    assert isinstance(result.exception, BusError), result.output
    return result.exception


def test_a_user_is_added_listed_changed_and_removed(file: Path) -> None:
    added = _run("add", "李伟", "--role", "officer", "--department", "health", "--json", password=PASSWORD)
    assert added.exit_code == 0, added.output
    expected = {"name": "李伟", "roles": ["officer"], "departments": ["health"]}
    assert json.loads(added.stdout) == expected
    assert json.loads(_run("list", "--json").stdout) == [expected]
    assert "李伟" in _run("list").stdout
    before = read_users(file)["李伟"]
    assert is_right(before.password, PASSWORD)
    changed = _run("change", "李伟", "--role", "commander", "--role", "officer", "--all-departments", "--json")
    assert json.loads(changed.stdout) == {"name": "李伟", "roles": ["officer", "commander"], "departments": "all"}
    assert read_users(file)["李伟"].password == before.password
    assert _run("change", "李伟", password="another good password").exit_code == 0
    assert is_right(read_users(file)["李伟"].password, "another good password")
    assert _run("remove", "李伟").exit_code == 0
    assert json.loads(_run("list", "--json").stdout) == []


def test_the_file_is_its_owners_alone_and_nothing_else_stays(file: Path) -> None:
    _run("add", "duty", "--role", "viewer", "--department", "health", password=PASSWORD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(found.name for found in file.parent.iterdir()) == [".users.yaml.lock", "users.yaml"]
    assert PASSWORD not in file.read_text()


def test_what_does_not_fit_is_refused_with_what_to_do(file: Path) -> None:
    assert "--role" in str(_refused("add", "a", "--department", "health", password=PASSWORD))
    assert "--all-departments" in str(_refused("add", "a", "--role", "viewer", password=PASSWORD))
    assert "commander" in str(_refused("add", "a", "--role", "root", "--all-departments", password=PASSWORD))
    unknown = _refused("add", "a", "--role", "viewer", "--department", "helth", password=PASSWORD)
    assert isinstance(unknown, NotFound)
    assert "hospitals" in str(unknown)
    both = _refused("add", "a", "--role", "viewer", "--department", "fire", "--all-departments", password=PASSWORD)
    assert "either" in str(both)
    assert "12" in str(_refused("add", "a", "--role", "viewer", "--all-departments", password="short"))
    assert "--password-stdin" in str(_refused("add", "a", "--role", "viewer", "--all-departments"))
    assert isinstance(_refused("remove", "a"), NotFound)
    assert isinstance(_refused("change", "a", "--role", "viewer"), NotFound)
    assert not file.exists()


def test_nobody_is_added_twice(file: Path) -> None:
    arguments = ("add", "a", "--role", "viewer", "--all-departments")
    assert _run(*arguments, password=PASSWORD).exit_code == 0
    assert "users change" in str(_refused(*arguments, password=PASSWORD))


def test_a_change_without_anything_to_change_is_refused(file: Path) -> None:
    _run("add", "a", "--role", "viewer", "--all-departments", password=PASSWORD)
    assert isinstance(_refused("change", "a"), ActRefused)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00", "-a", "x" * 101, "\u202eabc"])
def test_what_is_no_name(file: Path, name: str) -> None:
    result = _run("add", "--role", "viewer", "--all-departments", "--password-stdin", "--", name)
    assert isinstance(result.exception, ActRefused)


@pytest.mark.parametrize("name", ["007", "1e3", "true", "null", "no", "a: b # c", 'Li "Wei"', "é", "李伟"])
def test_names_stay_what_they_are(tmp_path: Path, name: str) -> None:
    settings = local_settings(tmp_path)
    put_user(settings, name, "viewer", departments=["health"])
    assert list(read_users(tmp_path / "dashboard" / "users.yaml")) == [name]


def test_the_password_is_asked_for_twice_and_not_shown(file: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "services.dashboard.cli", "users", "add", "li", "--role", "viewer"]
    process = subprocess.Popen(
        [*command, "--all-departments"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    assert process.stderr is not None
    said = ""
    for prompt in ("characters):", "Once more:"):
        while prompt not in said:
            character = process.stderr.read(1)
            assert character, said
            said += character.decode("utf-8", "replace")
        said = ""
        process.stderr.read(1)  # the blank that comes when the terminal is silent
        os.write(ours, f"{PASSWORD}\n".encode())
    output, rest = process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == 0, rest
    assert PASSWORD.encode() not in output + rest
    assert is_right(read_users(file)["li"].password, PASSWORD)


def test_two_that_change_the_file_at_once_lose_nothing(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    put_user(settings, "first", "viewer")
    threads = [threading.Thread(target=put_user, args=(settings, f"u{number}", "viewer")) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_users(tmp_path / "dashboard" / "users.yaml")) == 21


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("users: [", "line"),
        ("people: {}", "people is not known"),
        ("users: {a: {roles: [root], departments: all, password: $argon2id$x}}", "roles"),
        ("users: {a: {roles: [], departments: all, password: $argon2id$x}}", "roles"),
        ("users: {a: {roles: [viewer], departments: none, password: $argon2id$x}}", "departments"),
        ("users: {a: {roles: [viewer], departments: all, password: hunter2hunter2}}", "new-password"),
        ("users: {a: {roles: [viewer], departments: all, password: 4711471147114711}}", "new-password"),
        ("users: {a: {roles: [viewer], departments: all}}", "password is missing"),
        ("users: {' a': {roles: [viewer], departments: all, password: $argon2id$x}}", "looked up"),
    ],
)
def test_a_broken_file_is_told_with_its_line_and_without_secrets(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "users.yaml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=words) as told:
        read_users(path)
    assert str(path) in str(told.value)
    assert "hunter2" not in str(told.value)
    assert "4711" not in str(told.value)


def test_a_password_is_the_same_however_it_is_typed() -> None:
    kept = hash_password("contraseña española")
    assert is_right(kept, unicodedata.normalize("NFD", "contraseña española"))
    assert not is_right(kept, "contrasena espanola")
    assert not is_right(None, "contraseña española")
    assert not is_right("$argon2id$broken", "contraseña española")


def test_help_shows_examples() -> None:
    for command in ("add", "change", "list", "remove"):
        assert "Example: deptbus-dashboard users" in _run(command, "--help").output
