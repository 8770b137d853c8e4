"""The page in real Chromium, served by the real dashboard, behind it a real broker and the engine in memory."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.command.engine import Engine
from tests.dashboard.serving import Served, page_is_built

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LIMIT_MS = 15_000

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without it, or without the built page, these tests are skipped.

    No longer than a file's: while it is there, a loop runs in this thread, and other tests could run none.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install it (Debian: apt-get install chromium)")
    if not page_is_built():
        pytest.skip("the page is not built: run make page")
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def served(stack: SharedStack, settings: Settings, engine: Engine, tmp_path: Path) -> Iterator[Served]:
    """The dashboard of this test's world, in which departments are heard."""
    environment = stack.environment(BUS_NAMESPACE=settings.namespace, BUS_RUN_DIR=str(tmp_path))
    with engine.running(), Served(environment, tmp_path) as one:
        yield one


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[Open]:
    """Opens pages, each as a browser of its own; errors on their consoles fail the test."""
    contexts, errors = [], []

    def make(path: str = "/incidents", lang: str = "en-GB", **options: object) -> Page:
        context = browser.new_context(locale=lang, timezone_id="Asia/Shanghai", **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served.url + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors
