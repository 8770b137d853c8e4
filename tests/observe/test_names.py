"""The list of metrics keeps to Prometheus's conventions."""

import re

from deptbus.observe import names
from deptbus.observe.names import ALL


def test_every_metric_is_named_by_prometheus_conventions_and_explained() -> None:
    assert len(ALL) == len({metric.name for metric in ALL})
    for metric in ALL:
        assert re.fullmatch(r"deptbus_[a-z][a-z_]*[a-z]", metric.name), metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        for unit in ("seconds", "bytes", "ratio"):
            assert (metric.unit == unit) == metric.name.removesuffix("_total").endswith(f"_{unit}"), metric.name
        assert metric.kind != "histogram" or metric.unit == "seconds"
        assert metric.help.endswith(".")
        assert all(re.fullmatch("[a-z]+", label) for label in metric.labels)


def test_no_label_has_values_without_end() -> None:
    assert {label for metric in ALL for label in metric.labels} <= {
        "worker", "namespace", "version", "type", "topic", "state", "service", "group", "reason", "partition", "role",
        "result", "workflow", "channel",
    }  # fmt: skip


def test_the_list_is_whole() -> None:
    assert names.PUBLISHED in ALL
    assert names.PUBLISHED.name == "deptbus_events_published_total"
    assert names.PUBLISHED.labels == ("type",)
