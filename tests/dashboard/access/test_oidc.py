"""Signing on at an identity provider, and what does not pass for it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from deptbus.errors import SettingsError
from deptbus.settings import Settings
from services.dashboard.access.guard import open_access
from services.dashboard.access.oidc import PENDING_MS
from tests.dashboard.access.provider import CLIENT, SECRET, Provider, provider
from tests.dashboard.access.serving import Browser, Time, local_settings, put_user, served

BEGIN = "/api/session/oidc"


@pytest.fixture
def idp() -> Iterator[Provider]:
    """The provider."""
    with provider() as made:
        yield made


@pytest.fixture
def clock() -> Time:
    """The dashboard's clock."""
    return Time()


@pytest.fixture
def url(idp: Provider, tmp_path: Path, clock: Time) -> Iterator[str]:
    """A dashboard that trusts the provider."""
    with served(_settings(tmp_path, idp), clock) as url:
        yield url


def _settings(folder: Path, idp: Provider, **more: object) -> Settings:
    return local_settings(folder, oidc_issuer=idp.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET, **more)


def _come_back(browser: Browser, path: str = BEGIN) -> str:
    """Go to the provider; the address that it sends the browser back to, which is not gone to yet."""
    there = browser.http.get(path)
    assert there.status_code == 302, there.text
    back = httpx.get(there.headers["location"], trust_env=False)
    assert back.status_code == 302
    return str(back.headers["location"])


def _sign_on(browser: Browser, path: str = BEGIN) -> httpx.Response:
    return browser.http.get(_come_back(browser, path))


def _assert_refused(browser: Browser, answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert not browser.is_signed_on()


def test_who_the_provider_knows_signs_on_with_roles_and_departments_of_the_claims(url: str) -> None:
    browser = Browser(url)
    assert browser.session()["ways"] == ["oidc"]
    answer = _sign_on(browser, f"{BEGIN}?next=/incident%3Fid%3Depidemic/440100/1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/incident?id=epidemic/440100/1"
    assert browser.person() == {"name": "李伟", "roles": ["viewer", "officer"], "departments": ["health"]}
    assert browser.act("POST", "/api/act").json() == {"by": "李伟"}
    browser.act("DELETE", "/api/session")
    assert not browser.is_signed_on()


def test_what_goes_to_the_provider(url: str) -> None:
    there = Browser(url).http.get(BEGIN)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    assert asked["redirect_uri"] == f"{url}/api/session/oidc/back"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = there.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie


def test_the_public_address_is_where_the_provider_sends_back_to(idp: Provider, tmp_path: Path) -> None:
    with served(_settings(tmp_path, idp, dashboard_url="https://command.example")) as url:
        there = Browser(url).http.get(BEGIN, headers={"Host": "command.example"})
        assert parse_qs(urlsplit(there.headers["location"]).query)["redirect_uri"] == [
            "https://command.example/api/session/oidc/back"
        ]
        assert there.headers["set-cookie"].startswith("__Host-deptbus-actual-signon=")


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "/%09/evil.example"])
def test_signing_on_leads_to_no_other_site(url: str, path: str) -> None:
    answer = Browser(url).http.get(f"{BEGIN}?next={path}")
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text


def test_a_wrong_state_is_refused_and_uses_the_attempt_up(url: str, idp: Provider) -> None:
    browser = Browser(url)
    back = _come_back(browser)
    state = parse_qs(urlsplit(back).query)["state"][0]
    _assert_refused(
        browser, browser.http.get(back.replace(state, "x" + state[1:])), 400, "did not begin in this browser"
    )
    _assert_refused(browser, browser.http.get(back), 400, "did not begin in this browser")


def test_an_answer_without_a_beginning_is_refused(url: str) -> None:
    began, other = Browser(url), Browser(url)
    _assert_refused(other, other.http.get(_come_back(began)), 400, "did not begin in this browser")


def test_a_code_of_another_sign_on_is_refused(url: str, idp: Provider) -> None:
    attacker, victim = Browser(url), Browser(url)
    stolen = parse_qs(urlsplit(_come_back(attacker)).query)["code"][0]
    back = _come_back(victim)
    own = parse_qs(urlsplit(back).query)["code"][0]
    _assert_refused(victim, victim.http.get(back.replace(own, stolen)), 403, "did not confirm")
    assert idp.refused == ["invalid_grant"]


def test_a_code_is_good_once(url: str) -> None:
    browser = Browser(url)
    back = _come_back(browser)
    pending = httpx.Cookies(browser.http.cookies)
    assert browser.http.get(back).status_code == 303
    again = Browser(url)
    again.http.cookies = pending
    _assert_refused(again, again.http.get(back), 403, "did not confirm")


def test_who_takes_too_long_begins_again(url: str, clock: Time) -> None:
    browser = Browser(url)
    back = _come_back(browser)
    clock.ms += PENDING_MS
    _assert_refused(browser, browser.http.get(back), 400, "expired")


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
def test_an_id_token_that_does_not_hold_is_refused(url: str, idp: Provider, lies: dict[str, object]) -> None:
    browser = Browser(url)
    idp.lies = lies
    _assert_refused(browser, _sign_on(browser), 403, "did not confirm")


def test_an_id_token_signed_by_another_key_is_refused(url: str, idp: Provider) -> None:
    browser = Browser(url)
    idp.signing = RSAKey.generate_key(2048, {"kid": "one"})
    _assert_refused(browser, _sign_on(browser), 403, "did not confirm")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_an_id_token_signed_with_what_both_know_is_refused(url: str, idp: Provider) -> None:
    browser = Browser(url)
    idp.metadata = {"id_token_signing_alg_values_supported": ["HS256", "none", "RS256"]}
    idp.signing, idp.algorithm = OctKey.import_key(SECRET, {"kid": "one"}), "HS256"
    _assert_refused(browser, _sign_on(browser), 403, "did not confirm")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_an_unsigned_id_token_is_refused(url: str, idp: Provider) -> None:
    browser = Browser(url)
    idp.algorithm = "none"
    _assert_refused(browser, _sign_on(browser), 403, "did not confirm")


def test_new_keys_of_the_provider_are_learnt(url: str, idp: Provider) -> None:
    assert _sign_on(Browser(url)).status_code == 303
    idp.key = idp.signing = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
    assert _sign_on(Browser(url)).status_code == 303


def test_an_answer_in_another_issuers_name_is_refused(url: str, idp: Provider) -> None:
    idp.tells_issuer = True
    assert _sign_on(Browser(url)).status_code == 303
    browser = Browser(url)
    back = _come_back(browser) + "&iss=https://evil.example"
    _assert_refused(browser, browser.http.get(back.replace("&iss=http%3A", "&was=http%3A")), 400, "did not confirm")


def test_the_providers_refusal_is_told_without_its_words(url: str) -> None:
    browser = Browser(url)
    state = parse_qs(urlsplit(_come_back(browser)).query)["state"][0]
    answer = browser.http.get(
        f"{BEGIN}/back?state={state}&error=access_denied&error_description=<script>alert(1)</script>"
    )
    _assert_refused(browser, answer, 403, "did not confirm")
    assert "script" not in answer.text


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"roles": ["mail-user"]}, "no role"),
        ({"departments": []}, "no department"),
        ({"name": ""}, "your name"),
    ],
)
def test_who_has_no_part_in_it_does_not_sign_on(url: str, idp: Provider, claims: dict[str, object], words: str) -> None:
    browser = Browser(url)
    idp.claims |= claims
    _assert_refused(browser, _sign_on(browser), 403, words)


def test_claims_that_are_missing_are_asked_for(url: str, idp: Provider) -> None:
    idp.userinfo = {"sub": "4711", "name": "王芳", "roles": ["commander"], "departments": "*"}
    idp.claims = {"sub": "4711"}
    browser = Browser(url)
    assert _sign_on(browser).status_code == 303
    assert browser.person() == {"name": "王芳", "roles": ["viewer", "commander"], "departments": None}
    idp.userinfo |= {"sub": "4712"}
    other = Browser(url)
    _assert_refused(other, _sign_on(other), 403, "did not confirm")


def test_claims_have_the_names_that_the_settings_say(idp: Provider, tmp_path: Path) -> None:
    named = {"oidc_name_claim": "uid", "oidc_roles_claim": "realm_access.roles", "oidc_departments_claim": "dept"}
    idp.claims = {
        "sub": "1",
        "uid": "li",
        "realm_access": {"roles": ["operator", "viewer"]},
        "dept": ["fire", "health"],
    }
    with served(_settings(tmp_path, idp, **named)) as url:
        browser = Browser(url)
        assert _sign_on(browser).status_code == 303
        assert browser.person() == {"name": "li", "roles": ["viewer", "operator"], "departments": ["fire", "health"]}


def test_a_provider_that_is_away_is_told_as_such(idp: Provider, tmp_path: Path) -> None:
    with served(local_settings(tmp_path, oidc_issuer="http://127.0.0.1:1", oidc_client_id=CLIENT)) as url:
        browser = Browser(url)
        _assert_refused(browser, browser.http.get(BEGIN), 502, "does not answer")


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None}],
    ids=str,
)
def test_a_provider_that_speaks_for_others_is_not_used(url: str, idp: Provider, metadata: dict[str, object]) -> None:
    idp.metadata = metadata
    browser = Browser(url)
    _assert_refused(browser, browser.http.get(BEGIN), 502, "does not answer")


def test_a_session_of_another_provider_is_none(url: str, idp: Provider, tmp_path: Path) -> None:
    browser = Browser(url)
    _sign_on(browser)
    assert browser.is_signed_on()
    with served(local_settings(tmp_path, oidc_issuer=idp.url, oidc_client_id="other")) as other:
        browser.http.base_url = httpx.URL(other)
        assert not browser.is_signed_on()


def test_both_ways_stand_side_by_side(idp: Provider, tmp_path: Path) -> None:
    settings = _settings(tmp_path, idp)
    put_user(settings, "duty", "commander")
    with served(settings) as url:
        first, second = Browser(url), Browser(url)
        assert first.session()["ways"] == ["password", "oidc"]
        assert first.sign_on("duty").status_code == 204
        assert _sign_on(second).status_code == 303
        assert first.person() != second.person()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"oidc_issuer": "https://idp.example"}, "BUS_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "http://idp.example", "oidc_client_id": "x"}, "https"),
        (
            {"oidc_issuer": "https://idp.example", "oidc_client_id": "x", "dashboard_host": "0.0.0.0"},
            "BUS_DASHBOARD_URL",
        ),
    ],
)
def test_a_provider_that_is_half_set_up_is_told_at_the_start(tmp_path: Path, given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        open_access(local_settings(tmp_path, **given))
