"""Signing on with a password, staying signed on, and not staying so."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deptbus.settings import Settings
from services.dashboard.access.attempts import PAIR
from services.dashboard.access.users import users_path
from tests.dashboard.access.serving import PASSWORD, Browser, Time, drop_user, local_settings, put_user, served
from tests.waiting import wait_until

OTHER = "another good password"


@pytest.fixture
def clock() -> Time:
    """The server's clock."""
    return Time()


@pytest.fixture
def url(local: Settings, clock: Time) -> Iterator[str]:
    """A dashboard with one user."""
    put_user(local, "李伟", "officer", departments=["health"])
    with served(local, clock) as url:
        yield url


def test_before_signing_on_the_page_learns_how_and_nothing_else_is_answered(url: str) -> None:
    browser = Browser(url)
    told = browser.session()
    assert told["person"] is None
    assert told["required"] is True
    assert told["ways"] == ["password"]
    assert told["world"] == {"namespace": "", "mode": "actual"}
    assert told["departments"]["health"]["zh"] == "卫生健康委"
    assert browser.http.get("/").text == "page"
    answer = browser.http.get("/api/who")
    assert answer.status_code == 401
    assert answer.json() == {"error": {"zh": "请先登录。", "en": "Sign on first."}}
    assert browser.http.get("/api/no-such-thing").status_code == 401
    assert browser.act("POST", "/api/act").status_code == 401


def test_who_signs_on_may_act(url: str) -> None:
    browser = Browser(url)
    assert browser.sign_on("李伟").status_code == 204
    assert browser.person() == {"name": "李伟", "roles": ["viewer", "officer"], "departments": ["health"]}
    assert browser.http.get("/api/who").json()["roles"] == ["officer"]
    assert browser.act("POST", "/api/act").json() == {"by": "李伟"}


def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nothing(url: str) -> None:
    wrong, unknown = Browser(url).sign_on("李伟", OTHER), Browser(url).sign_on("nobody", OTHER)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert set(wrong.json()["error"]) == {"zh", "en"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"name": "a"}', b'{"name": 1, "password": "x"}', b'{"name": "", "password": "x"}',
     b'{"name": "a", "password": "\\ud800"}', b"[" * 8000, b'{"name": "' + b"a" * 101 + b'", "password": "x"}'],
)  # fmt: skip
def test_what_is_no_sign_on_is_refused(url: str, body: bytes) -> None:
    browser = Browser(url)
    headers = {"X-CSRF-Token": browser.session()["csrf"]}
    assert browser.http.post("/api/session", content=body, headers=headers).status_code == 400


def test_a_sign_on_that_does_not_end_is_not_read_to_its_end(url: str) -> None:
    browser = Browser(url)
    headers = {"X-CSRF-Token": browser.session()["csrf"]}
    assert browser.http.post("/api/session", content=b"x" * 100_000, headers=headers).status_code == 413


def test_signing_out_ends_the_session_for_copies_of_its_cookie_too(url: str, local: Settings, clock: Time) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    copy = Browser(url)
    copy.http.cookies = httpx.Cookies(browser.http.cookies)
    assert copy.is_signed_on()
    assert browser.act("DELETE", "/api/session").status_code == 204
    assert not browser.is_signed_on()
    assert not copy.is_signed_on()
    with served(local, clock) as again:
        copy.http.base_url = httpx.URL(again)
        assert not copy.is_signed_on()


def test_a_session_holds_over_a_restart(url: str, local: Settings, clock: Time) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    with served(local, clock) as again:
        browser.http.base_url = httpx.URL(again)
        assert browser.is_signed_on()


def test_a_session_is_over_after_its_hours(url: str, local: Settings, clock: Time) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    clock.ms += local.dashboard_session_h * 3_600_000 - 1
    assert browser.is_signed_on()
    clock.ms += 1
    assert not browser.is_signed_on()


def test_signing_on_begins_another_session(url: str) -> None:
    browser = Browser(url)
    before = browser.session()["csrf"]
    cookies = httpx.Cookies(browser.http.cookies)
    browser.sign_on("李伟")
    assert browser.session()["csrf"] != before
    planted = Browser(url)
    planted.http.cookies = cookies  # what somebody put into the browser beforehand
    assert not planted.is_signed_on()


def test_a_cookie_that_was_changed_is_none(url: str) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    [(name, value)] = browser.http.cookies.items()
    other = "A" if value[-9] != "A" else "B"
    for forged in (value[:-9] + other + value[-8:], "A" + value, value.partition(".")[0], "x", ""):
        browser.http.cookies = httpx.Cookies({name: forged})
        assert not browser.is_signed_on()


def test_a_session_of_an_exercise_is_none_in_actual_life(url: str, tmp_path: Path, clock: Time) -> None:
    exercise = local_settings(tmp_path, namespace="exercise-1")
    with served(exercise, clock) as other:
        browser = Browser(other)
        browser.sign_on("李伟")
        assert browser.session()["world"] == {"namespace": "exercise-1", "mode": "exercise"}
        [(name, value)] = browser.http.cookies.items()
        browser.http.base_url = httpx.URL(url)
        assert not browser.is_signed_on()
        browser.http.cookies = httpx.Cookies({name.replace("exercise-1", "actual"): value})
        assert not browser.is_signed_on()


def test_who_is_removed_is_signed_off_at_the_next_request(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    drop_user(local, "李伟")
    assert not browser.is_signed_on()
    assert browser.person() is None
    put_user(local, "李伟", "commander", password=OTHER)
    assert not browser.is_signed_on()


def test_another_password_ends_sessions(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    put_user(local, "李伟", "officer", departments=["health"], password=OTHER)
    assert not browser.is_signed_on()
    assert browser.sign_on("李伟", OTHER).status_code == 204


def test_other_roles_count_from_the_next_request(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    put_user(local, "李伟", "viewer", departments=["fire"])
    assert browser.http.get("/api/who").json() == {"name": "李伟", "roles": ["viewer"], "departments": ["fire"]}


def test_a_broken_file_changes_nothing_until_it_is_whole(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    path = users_path(local)
    whole = path.read_text()
    path.write_text("users: [")
    assert browser.is_signed_on()
    path.write_text(whole.replace("health", "fire"))
    assert browser.http.get("/api/who").json()["departments"] == ["fire"]


def test_an_open_stream_ends_with_its_session(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    heard, ended = threading.Event(), threading.Event()

    def follow() -> None:
        with browser.http.stream("GET", "/api/stream") as answer:
            for _ in answer.iter_bytes():
                heard.set()
        ended.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert heard.wait(10)
    assert not ended.is_set()
    drop_user(local, "李伟")
    wait_until(ended.is_set, "the stream to end", 10)


def test_after_some_failures_one_has_to_wait(url: str, clock: Time) -> None:
    browser = Browser(url)
    for _ in range(PAIR.burst):
        assert browser.sign_on("李伟", OTHER).status_code == 401
    answer = browser.sign_on("李伟")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == PAIR.each_ms // 1000
    assert set(answer.json()["error"]) == {"zh", "en"}
    clock.ms += PAIR.each_ms
    assert browser.sign_on("李伟").status_code == 204


def test_behind_a_proxy_attempts_count_for_whom_the_proxy_names(tmp_path: Path) -> None:
    settings = local_settings(tmp_path, dashboard_url="http://command.example")
    put_user(settings, "李伟", "viewer")
    with served(settings) as url:
        browser = Browser(url)
        for number in range(PAIR.burst):
            forwarded = {"X-Forwarded-For": f"10.0.0.{number}, 10.9.9.9"}
            assert browser.sign_on("李伟", OTHER, **forwarded).status_code == 401
        assert browser.sign_on("李伟", **{"X-Forwarded-For": "10.0.0.77, 10.9.9.9"}).status_code == 429
        assert browser.sign_on("李伟", **{"X-Forwarded-For": "10.9.9.8"}).status_code == 204


def test_the_key_and_the_users_are_their_owners_alone(url: str, local: Settings) -> None:
    browser = Browser(url)
    browser.sign_on("李伟")
    browser.act("DELETE", "/api/session")
    folder = local.run_path / "dashboard"
    files = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert files == dict.fromkeys(files, 0o600)
    assert {"session.key", "users.yaml", "ended-actual.json"} <= files.keys()
    assert len(json.loads((folder / "ended-actual.json").read_text())) == 1
    assert PASSWORD not in (folder / "users.yaml").read_text()
