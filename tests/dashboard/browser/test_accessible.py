"""Every view, in both themes and both languages, as axe-core judges it: no violation of WCAG 2.1 AA."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.browser.conftest import Open
from tests.streams.world import World as Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
AXE = ROOT / "services" / "dashboard" / "page" / "node_modules" / "axe-core" / "axe.min.js"
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
VIEWS = [
    "/incidents",
    *(f"/incident?id={INSTANCE}&tab={tab}" for tab in ("board", "timeline", "why", "resources", "map", "lineage")),
    "/department?id=health", "/catalogue", "/health", f"/afteraction?id={INSTANCE}",
]  # fmt: skip


@pytest.mark.parametrize(("lang", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_view_breaks_the_standard(open_page: Open, broker: Broker, lang: str, scheme: str, width: int) -> None:
    broker.publish([REGION], count=10)
    found = []
    page = open_page(lang=lang, color_scheme=scheme, viewport={"width": width, "height": 900})
    expect(page.locator(f'a[title="{INSTANCE}"]')).to_be_visible()
    address = page.url.split("/incidents")[0]
    for view in VIEWS:
        page.goto(address + view)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
        page.evaluate(AXE.read_text())
        result = page.evaluate("standard => axe.run(document, {runOnly: standard})", STANDARD)
        found += [
            f"{view}: {violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert found == []
