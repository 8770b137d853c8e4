"""What people see and do in a browser: it is there at once, others see it too, and it never lies."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.browser.conftest import Open
from tests.dashboard.serving import Served
from tests.streams.world import World as Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

OTHER = "small/330100/1"
BOARD = f"/incident?id={INSTANCE}"
APPEARS_S = 1.0
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>{{7*7}}"\'`'


def link_to(page: Page, instance: str) -> Locator:
    """Its line in the list."""
    return page.locator(f'a[title="{instance}"]')


def is_live(page: Page) -> None:
    """Until the page follows what happens."""
    expect(page.get_by_text(re.compile("^(Live|实时)$"))).to_be_visible()


def test_an_incident_is_on_the_page_within_a_second_of_its_event(open_page: Open, broker: Broker) -> None:
    page = open_page()
    is_live(page)
    broker.publish(["330100"])  # the first of all warms the way
    expect(link_to(page, OTHER)).to_be_visible()
    began = time.monotonic()
    broker.publish([REGION], count=10)
    link_to(page, INSTANCE).wait_for()  # looks at each frame
    assert time.monotonic() - began < APPEARS_S


def test_what_an_officer_does_changes_the_board_of_another_browser(open_page: Open, broker: Broker) -> None:
    broker.publish([REGION], count=10)
    mine, theirs = open_page(BOARD), open_page(BOARD)
    acknowledged = theirs.get_by_role("article").filter(has=theirs.locator("header").get_by_text("Acknowledged"))
    expect(theirs.get_by_role("article").first).to_be_visible()
    expect(acknowledged).to_have_count(0)
    mine.get_by_role("button", name=re.compile("^Acknowledge: ")).first.click()
    dialog = mine.get_by_role("dialog")
    dialog.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(mine.get_by_text(re.compile("published, waiting for effect|took effect")).first).to_be_visible()
    expect(acknowledged).to_have_count(1)


def test_a_declined_task_needs_a_reason(open_page: Open, broker: Broker) -> None:
    broker.publish([REGION], count=10)
    page = open_page(BOARD)
    page.get_by_role("button", name=re.compile("^More answers to")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Decline", exact=True).click()
    dialog.get_by_role("button", name="Decline", exact=True).click()
    expect(dialog.get_by_text("Say why your department declines.")).to_be_visible()


def test_the_slider_shows_the_past(open_page: Open, broker: Broker) -> None:
    broker.publish([REGION], count=1)
    page = open_page(BOARD)
    expect(page.get_by_role("article").first).to_be_visible()
    broker.publish([REGION], count=10, time_ms=1_579_536_000_000)
    expect(page.get_by_text("Level Ⅲ").first).to_be_visible()
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(page).to_have_url(re.compile(r"at=\d+"))
    expect(page.get_by_text("Level Ⅲ")).to_have_count(0)
    slider.press("End")
    expect(page.get_by_text("Level Ⅲ").first).to_be_visible()
    expect(page).not_to_have_url(re.compile(r"at=\d+"))


def test_the_language_is_the_browsers_until_it_is_switched(open_page: Open, broker: Broker) -> None:
    page = open_page(lang="zh-CN")
    is_live(page)
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^en"))
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()


def test_everything_can_be_reached_with_the_keyboard_alone(open_page: Open, broker: Broker) -> None:
    broker.publish([REGION, "330100"], count=10)
    page = open_page()
    expect(link_to(page, INSTANCE)).to_be_visible()
    expect(link_to(page, OTHER)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type(REGION)
    expect(link_to(page, OTHER)).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/incident"))
    acknowledge = page.get_by_role("button", name=re.compile("^Acknowledge: ")).first
    acknowledge.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")  # the button that publishes has the focus
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("article").filter(has_text="Acknowledged").first).to_be_visible()


def test_hostile_text_stays_text(open_page: Open, broker: Broker) -> None:
    broker.publish([HOSTILE], count=10)
    broker.publish([REGION], count=10, actor=HOSTILE, legal_basis=HOSTILE)
    page = open_page()
    expect(link_to(page, INSTANCE)).to_be_visible()
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    for tab in ("board", "timeline", "why", "resources", "map", "lineage"):
        page.goto(f"{page.url.split('/incident')[0]}{BOARD}&tab={tab}")
        expect(page.get_by_role("tabpanel")).to_be_visible()
    page.goto(f"{page.url.split('/incident')[0]}/incidents?text={HOSTILE}")
    is_live(page)
    assert page.evaluate("window.hacked") is None


def test_a_page_that_is_open_while_the_server_dies_catches_up_by_itself(
    open_page: Open, served: Served, broker: Broker
) -> None:
    broker.publish([REGION], count=10)
    page = open_page()
    expect(link_to(page, INSTANCE)).to_be_visible()
    served.kill()
    expect(page.get_by_text("Connection lost, reconnecting")).to_be_visible()
    regions = [f"33{number:04}" for number in range(100, 140)]
    broker.publish(regions, count=10)
    served.start()
    is_live(page)
    expect(page.get_by_text(re.compile(r"\b41 of 41\b"))).to_be_visible()
    page.get_by_role("searchbox").fill(regions[-1])  # only the rows in sight are in the document
    expect(link_to(page, f"small/{regions[-1]}/1")).to_be_visible()
