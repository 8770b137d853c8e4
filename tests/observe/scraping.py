"""Asking a process for its metrics and its health."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.waiting import wait_until

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def get(url: str) -> tuple[int, str]:
    """Status and body of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def health(url: str, which: str) -> tuple[int, list[str]]:
    """Status and problems that ``/health/<which>`` tells."""
    status, body = get(f"{url}/health/{which}")
    return status, json.loads(body)["problems"]


class Scrape:
    """All samples of one scrape."""

    def __init__(self, url: str) -> None:
        status, self.text = get(f"{url}/metrics")
        assert status == 200
        self.samples: list[Sample] = [
            sample for family in text_string_to_metric_families(self.text) for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of all series of a name with these labels; None where there is none."""
        found = [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        return sum(found) if found else None

    def names(self) -> set[str]:
        """The names of our own samples."""
        return {one.name for one in self.samples if one.name.startswith("deptbus_")}


def url_of(health_file: Path) -> str:
    """Where a worker serves its metrics, once it says so."""
    content: dict[str, Any] = {}

    def told() -> object:
        try:
            content.update(json.loads(health_file.read_bytes()))
        except (OSError, ValueError):
            return False
        return content["url"]

    wait_until(told, f"{health_file.name} to say where metrics are", 30)
    return str(content["url"])


def scraped(url: str, name: str, value: float, limit_s: float = 30, **labels: str) -> Scrape:
    """The first scrape in which a metric has a value."""
    seen: list[Scrape] = []

    def has() -> bool:
        seen.append(Scrape(url))
        return seen[-1].value(name, **labels) == value

    try:
        wait_until(has, f"{name}{labels} to be {value:g}", limit_s)
    except AssertionError as error:
        others = "\n".join(line for line in seen[-1].text.splitlines() if line.startswith("deptbus_"))
        raise AssertionError(f"{error}; it is {seen[-1].value(name, **labels)}\n{others}") from None
    return seen[-1]
