"""What the guard lets through, and what every answer says to browsers."""

import http.client
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deptbus.errors import SettingsError
from deptbus.settings import Settings
from services.dashboard.access.guard import open_access
from services.dashboard.access.users import users_path
from tests.dashboard.access.serving import Browser, local_settings, put_user, served


@pytest.fixture
def url(local: Settings) -> Iterator[str]:
    """A dashboard on which nobody signs on."""
    with served(local) as url:
        yield url


@pytest.fixture
def browser(url: str) -> Browser:
    """A browser on this machine."""
    return Browser(url)


def test_on_this_machine_without_sign_on_everybody_is_the_operator(browser: Browser) -> None:
    told = browser.session()
    assert told["required"] is False
    assert told["ways"] == []
    assert told["person"] == {
        "name": "Zhang San", "roles": ["viewer", "officer", "commander", "operator"], "departments": None
    }  # fmt: skip
    assert browser.act("POST", "/api/act").json() == {"by": "Zhang San"}
    assert browser.sign_on("a").status_code == 404
    assert browser.http.get("/api/session/oidc").status_code == 404
    assert browser.http.get("/api/session/oidc/back?code=x&state=y").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("token", [None, "", "0" * 64, "ü"])
def test_an_act_without_the_token_is_refused(browser: Browser, method: str, token: str | None) -> None:
    browser.session()
    headers = {} if token is None else {"X-CSRF-Token": token.encode()}
    answer = browser.http.request(method, "/api/act", headers=headers)
    assert answer.status_code == 403
    assert "load it again" in answer.json()["error"]["en"]


def test_the_token_of_another_session_is_none(url: str, browser: Browser) -> None:
    browser.session()
    assert browser.act("POST", "/api/act", **{"X-CSRF-Token": Browser(url).session()["csrf"]}).status_code == 403


def test_the_token_without_its_cookie_is_none(url: str, browser: Browser) -> None:
    token = browser.session()["csrf"]
    assert httpx.post(f"{url}/api/act", headers={"X-CSRF-Token": token}, trust_env=False).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1:1"])
def test_an_act_from_another_site_is_refused(browser: Browser, origin: str) -> None:
    answer = browser.act("POST", "/api/act", Origin=origin)
    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]["en"]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_an_act_that_a_browser_says_comes_from_elsewhere_is_refused(browser: Browser, site: str) -> None:
    assert browser.act("POST", "/api/act", **{"Sec-Fetch-Site": site}).status_code == 403


def test_an_act_of_the_page_itself_is_done(url: str, browser: Browser) -> None:
    own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    assert browser.act("POST", "/api/act", **own).status_code == 202


def test_another_sites_page_reads_nothing_but_its_person_may_follow_a_link(browser: Browser) -> None:
    for site in ("cross-site", "same-site"):
        read = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert browser.http.get("/api/who", headers=read).status_code == 403
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert browser.http.get("/api/who", headers=link).status_code == 200
        assert browser.http.get("/", headers=read).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"])
@pytest.mark.parametrize("path", ["/", "/api/who", "/api/session"])
def test_a_name_that_was_made_to_lead_here_is_not_answered(browser: Browser, host: str, path: str) -> None:
    assert browser.http.get(path, headers={"Host": host}).status_code == 421


def test_a_request_without_a_host_is_not_answered(url: str) -> None:
    address = httpx.URL(url)
    connection = http.client.HTTPConnection(address.host, address.port or 0, timeout=5)
    connection.putrequest("GET", "/api/who", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status in (400, 421)
    connection.close()


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_who_comes_through_a_proxy_is_not_taken_for_this_machine(browser: Browser, header: str) -> None:
    answer = browser.http.get("/api/who", headers={header: "127.0.0.1"})
    assert answer.status_code == 403
    assert "BUS_DASHBOARD_URL" in answer.json()["error"]["en"]


@pytest.mark.parametrize("path", ["/", "/api/session", "/api/who", "/api/nothing", "/nothing"])
def test_every_answer_says_what_a_page_may_do(browser: Browser, path: str) -> None:
    headers = browser.http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in headers
    assert (headers.get("cache-control") == "no-store") == path.startswith("/api/")


def test_a_refusal_says_so_too(browser: Browser) -> None:
    headers = browser.http.get("/api/who", headers={"Host": "evil.example"}).headers
    assert "content-security-policy" in headers
    assert headers["cache-control"] == "no-store"


def test_a_document_may_bring_a_policy_of_its_own(browser: Browser) -> None:
    assert browser.http.get("/api/document").headers.get_list("content-security-policy") == ["default-src 'none'"]


def test_the_cookie_on_this_machine(browser: Browser) -> None:
    cookie = browser.http.get("/api/session").headers["set-cookie"]
    assert cookie.startswith("deptbus-actual=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "set-cookie" not in browser.http.get("/api/session").headers


def test_the_cookie_where_people_come_by_https(tmp_path: Path) -> None:
    settings = local_settings(tmp_path, dashboard_url="https://command.example")
    put_user(settings, "li", "viewer")
    with served(settings) as url:
        answer = httpx.get(f"{url}/api/session", headers={"Host": "command.example"}, trust_env=False)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-deptbus-actual=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    "beyond",
    [
        {"dashboard_host": "0.0.0.0"},
        {"dashboard_host": "::"},
        {"dashboard_host": "10.1.2.3"},
        {"dashboard_url": "https://command.example"},
    ],
)
def test_beyond_loopback_it_does_not_start_without_sign_on(tmp_path: Path, beyond: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="users add") as told:
        open_access(local_settings(tmp_path, **beyond))
    assert "BUS_OIDC_ISSUER" in str(told.value)
    put_user(local_settings(tmp_path), "li", "viewer")
    assert open_access(local_settings(tmp_path, **beyond)).required


def test_it_does_not_start_where_nobody_could_sign_on(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    users_path(settings).parent.mkdir(parents=True)
    users_path(settings).touch(0o600)
    users_path(settings).write_text("users: {}\n")
    with pytest.raises(SettingsError, match="Nobody could sign on"):
        open_access(settings)


def test_a_named_file_of_users_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BUS_DASHBOARD_USERS"):
        open_access(local_settings(tmp_path, dashboard_users=tmp_path / "elsewhere.yaml"))


def test_files_that_others_could_forge_with_are_refused(local: Settings) -> None:
    put_user(local, "li", "viewer")
    open_access(local)
    key = local.run_path / "dashboard" / "session.key"
    key.chmod(0o644)
    with pytest.raises(SettingsError, match="may be read by others"):
        open_access(local)
    key.chmod(0o600)
    users = users_path(local)
    users.chmod(users.stat().st_mode | stat.S_IWGRP)
    with pytest.raises(SettingsError, match="chmod 600"):
        open_access(local)


def test_a_key_that_is_none_is_refused(local: Settings) -> None:
    open_access(local)
    key = local.run_path / "dashboard" / "session.key"
    for text, words in (("no key", "not hexadecimal"), ("00ff", "too short")):
        key.write_text(text)
        with pytest.raises(SettingsError, match=words):
            open_access(local)
