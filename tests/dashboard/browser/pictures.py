"""Pictures of every view of a dashboard that runs, for docs/dashboard/: in both languages and at three widths.

    make demo KEEP=1
    .venv/bin/python -m tests.dashboard.browser.pictures http://127.0.0.1:18480 docs/dashboard

A view is one WebP file of six pictures, Chinese above English; ``--apart`` writes each picture whole, to be looked at.
"""

import argparse
import base64
import shutil
from collections import Counter
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.dashboard.browser.conftest import NAMES, QUIET

WIDTHS = (1440, 1024, 390)
HEIGHT = 900
LANGS = {"zh": "zh-CN", "en": "en-GB"}
TABS = ("board", "timeline", "why", "resources", "map", "lineage")
SCALE, QUALITY = 0.5, 0.5
_SETTLE_MS = 700
"""For what is drawn after its data are there."""
_SHEET = """async ([pictures, rows, scale, quality]) => {
  const images = await Promise.all(pictures.map(async (text) => {
    const image = new Image(); image.src = 'data:image/png;base64,' + text; await image.decode(); return image; }));
  const gap = 12, columns = images.length / rows;
  const widths = images.slice(0, columns).map((one) => Math.round(one.width * scale));
  const height = Math.round(images[0].height * scale);
  const canvas = document.createElement('canvas');
  canvas.width = widths.reduce((sum, one) => sum + one + gap, gap);
  canvas.height = rows * (height + gap) + gap;
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.fillStyle = '#8a93a0';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  images.forEach((image, number) => {
    const column = number % columns, row = Math.floor(number / columns);
    const left = gap + widths.slice(0, column).reduce((sum, one) => sum + one + gap, 0);
    pen.drawImage(image, left, gap + row * (height + gap), widths[column], height);
  });
  return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the dashboard answers, such as http://127.0.0.1:18480")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--incident", help="the one whose views are taken; by default that with the most tasks")
    parser.add_argument("--at", help="the moment at which it is taken, in milliseconds; by default now")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--apart", action="store_true", help="every picture as a file of its own")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = next(path for name in NAMES if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        for name, path in _views(asked.url, asked.incident, asked.at).items():
            taken = {
                (lang, width): _picture(browser, asked.url + path, lang, width, asked.scheme)
                for lang in LANGS
                for width in WIDTHS
            }
            if asked.apart:
                for (lang, width), picture in taken.items():
                    (asked.folder / f"{name}-{lang}-{width}.png").write_bytes(picture)
            else:
                (asked.folder / f"{name}.webp").write_bytes(_sheet(browser, list(taken.values())))
        browser.close()


def _views(url: str, incident: str | None, at: str | None) -> dict[str, str]:
    """Name and address of every view."""
    listed = httpx.get(f"{url}/api/incidents", params={"status": "all"}, timeout=30).json()["incidents"]
    chosen = incident or max(listed, key=lambda row: (row["status"] == "open", row["open"]))["instance"]
    asked = Counter(department for row in listed for department, _ in row["dues"])
    busiest = max(asked, key=lambda department: asked[department], default="health")
    about = f"id={chosen}" + (f"&at={at}" if at else "")
    return {
        "incidents": "/incidents?status=all",
        **{tab: f"/incident?{about}&tab={tab}" for tab in TABS},
        "department": f"/department?id={busiest}",
        "catalogue": "/catalogue?tab=types",
        "graph": "/catalogue?tab=graph",
        "health": "/health",
        "afteraction": f"/afteraction?id={chosen}",
        "performance": "/afteraction",
    }


def _picture(browser: Browser, address: str, lang: str, width: int, scheme: str) -> bytes:
    context = browser.new_context(
        locale=LANGS[lang], timezone_id="Asia/Shanghai", viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    page = context.new_page()
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    page.locator(".spinner").first.wait_for(state="detached")
    page.wait_for_timeout(_SETTLE_MS)
    taken = page.screenshot()
    context.close()
    return taken


def _sheet(browser: Browser, pictures: list[bytes]) -> bytes:
    page = browser.new_page()
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    made = page.evaluate(_SHEET, [encoded, len(LANGS), SCALE, QUALITY])
    page.close()
    return base64.b64decode(made)


if __name__ == "__main__":
    main()
