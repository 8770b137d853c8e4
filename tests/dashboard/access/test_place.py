"""Which hosts, origins and paths are the dashboard's own."""

import pytest

from deptbus.errors import SettingsError
from services.dashboard.access.place import Place, local_path, place_of

HERE = place_of("127.0.0.1", None)
BEHIND_PROXY = place_of("127.0.0.1", "https://Command.example/")
BEYOND = place_of("0.0.0.0", None)


@pytest.mark.parametrize(
    ("place", "beyond"),
    [
        (HERE, False),
        (place_of("::1", None), False),
        (place_of("localhost", "http://localhost:8080"), False),
        (BEHIND_PROXY, True),
        (BEYOND, True),
        (place_of("::", None), True),
        (place_of("10.1.2.3", None), True),
        (place_of("command.example", None), True),
    ],
)
def test_whether_others_reach_it(place: Place, beyond: bool) -> None:
    assert place.beyond is beyond


@pytest.mark.parametrize("host", ["127.0.0.1:18080", "localhost", "LOCALHOST:1", "[::1]:18080", "127.8.8.8"])
def test_this_machine_answers_to_its_names(host: str) -> None:
    assert HERE.answers_to(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example:18080", "localhost.evil.example", "evil@127.0.0.1", "127.0.0.1/x",
     "command.example", "[::1", "0.0.0.0:18080", "127.0.0.1:x"],
)  # fmt: skip
def test_other_names_of_this_machine_are_not_answered(host: str) -> None:
    assert not HERE.answers_to(host)


def test_behind_a_proxy_the_public_name_is_answered() -> None:
    assert BEHIND_PROXY.answers_to("command.example")
    assert BEHIND_PROXY.answers_to("command.example:443")
    assert BEHIND_PROXY.answers_to("127.0.0.1:18080")
    assert not BEHIND_PROXY.answers_to("command.example:8443")
    assert not BEHIND_PROXY.answers_to("other.example")


@pytest.mark.parametrize(
    ("place", "origin", "host", "own"),
    [
        (HERE, "http://127.0.0.1:18080", "127.0.0.1:18080", True),
        (HERE, "http://localhost:3000", "127.0.0.1:18080", False),
        (HERE, "http://127.0.0.1:3000", "127.0.0.1:18080", False),
        (HERE, "null", "127.0.0.1:18080", False),
        (BEHIND_PROXY, "https://command.example", "127.0.0.1:18080", True),
        (BEHIND_PROXY, "https://command.example", "command.example", True),
        (BEHIND_PROXY, "http://command.example", "command.example", False),
        (BEHIND_PROXY, "https://evil.example", "command.example", False),
        (BEYOND, "https://command.example", "command.example", True),
        (BEYOND, "https://evil.example", "command.example", False),
        (BEYOND, "file://", "", False),
        (place_of("0.0.0.0", "https://command.example"), "http://10.0.0.1:18080", "10.0.0.1:18080", False),
    ],
)
def test_which_origins_are_its_own(place: Place, origin: str, host: str, own: bool) -> None:
    assert place.owns(origin, host) is own


def test_the_public_address_is_written_as_browsers_write_origins() -> None:
    assert BEHIND_PROXY.url == "https://command.example"
    assert place_of("::1", "https://command.example:443").url == "https://command.example"
    assert place_of("::1", "http://[::1]:8080").url == "http://[::1]:8080"


@pytest.mark.parametrize(
    "url",
    ["command.example", "ftp://command.example", "https://a:b@c.example", "https://a.example/dash", "https://a:x"],
)
def test_what_is_no_public_address(url: str) -> None:
    with pytest.raises(SettingsError, match="BUS_DASHBOARD_URL"):
        place_of("127.0.0.1", url)


def test_pages_of_its_own_to_come_back_to() -> None:
    for path in ("/", "/incident?id=epidemic/440100/1&tab=map", "/a//b"):
        assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "incidents", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/a\\b",
     "/\t/evil.example", "/\n/evil.example", " /a", "javascript:alert(1)", "/api/session"],
)  # fmt: skip
def test_what_a_browser_takes_for_another_site_is_no_page_to_come_back_to(path: str) -> None:
    assert local_path(path) is None
