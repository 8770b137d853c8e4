"""The dashboard and the alert rules can be read, and speak of no metric that is not there."""

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from deptbus.observe.names import ALL, Metric
from tests.broker import ROOT

FOLDER = ROOT / "monitoring"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "deptbus.json"
FOREIGN = {"up": {"job", "instance", "process"}}
"""What Prometheus itself says, and with which labels."""
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
TARGET = {"job", "instance", "process"}
"""Labels that every scraped metric has."""


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _queries() -> list[tuple[str, str]]:
    """Title and expression of everything that the dashboard draws."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in _rules()] + _queries()


def _series() -> dict[str, Metric]:
    """By the name of a series, its metric."""
    found = {}
    for metric in ALL:
        ends = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
        found.update({metric.name + end: metric for end in ends})
    return found


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_an_expression_can_be_read_and_its_metrics_and_labels_are_there(where: str, expression: str) -> None:
    readable = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
    promql_parser.parse(readable)
    series = _series()
    named = set(re.findall(r"\b(?:deptbus_\w+|process_[a-z]+_\w+|up(?=\{))", readable))
    assert named
    assert named - set(series) - set(FOREIGN) - PROCESS == set()
    labels = {label for name in named if name in series for label in series[name].labels} | TARGET
    if any(name.endswith("_bucket") for name in named):
        labels.add("le")
    used = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|=|!=)", readable))
    for group in re.findall(r"\bby \(([^)]*)\)", readable):
        used |= {label.strip() for label in group.split(",")}
    assert used <= labels, where


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "action"}
        by = re.search(r"by \(([^)]*)\)", rule["expr"])
        said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        if by is not None:
            assert said <= {label.strip() for label in by[1].split(",")}, rule["alert"]


def test_what_operations_are_to_be_told_of_has_an_alert() -> None:
    text = " ".join(rule["expr"] for rule in _rules())
    for name in (
        "deptbus_consumer_lag", "deptbus_consumer_stalled_seconds", "deptbus_dead_letters_total",
        "deptbus_overdue_tasks", "up{", "deptbus_ready", "deptbus_dead_letters_blocked",
    ):  # fmt: skip
        assert name in text


def test_every_metric_is_drawn() -> None:
    drawn = " ".join(expression for _, expression in _queries())
    left_out = {"deptbus_worker_info", "deptbus_exercise_step"}
    assert [metric.name for metric in ALL if metric.name not in drawn and metric.name not in left_out] == []


def test_prometheus_asks_every_worker_of_compose_and_is_given_the_rules() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    workers = {
        name for name, service in services.items() if service.get("command", [""])[0] == "run"
    }  # fmt: skip
    [scrape] = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    [found] = scrape["dns_sd_configs"]
    assert set(found["names"]) == workers
    for name in workers:
        assert services[name]["environment"]["BUS_METRICS_PORT"] == str(found["port"])
        assert str(found["port"]) in services[name]["healthcheck"]["test"][-1]
    observing = {name for name, service in services.items() if service.get("profiles") == ["observe"]}
    assert observing == {"prometheus", "grafana", "jaeger", "watch"}
    for name in observing:
        assert all(port.startswith("127.0.0.1:") for port in services[name].get("ports", []))
        for volume in services[name].get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).exists(), source
            assert source.startswith("./") or source in compose["volumes"]


def test_every_alert_is_in_the_runbook() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in _rules() if f"`{rule['alert']}`" not in told] == []


def test_every_metric_is_in_the_runbook() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [metric.name for metric in ALL if f"`{metric.name}" not in told] == []


def test_no_file_of_the_folder_is_left_out() -> None:
    files = {path.relative_to(FOLDER).as_posix() for path in Path(FOLDER).rglob("*") if path.is_file()}
    assert files == {
        "alerts.yaml", "prometheus.yaml", "grafana/dashboards/deptbus.json",
        "grafana/provisioning/dashboards/deptbus.yaml", "grafana/provisioning/datasources/deptbus.yaml",
    }  # fmt: skip
