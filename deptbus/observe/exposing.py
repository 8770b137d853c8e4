"""Counts and sources in Prometheus's formats."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from deptbus.observe.counting import BOUNDS, Counts, Timing
from deptbus.observe.names import Metric

_UPPER = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]


class Exposed(Collector):
    """What a process counts, and what it uses of its machine."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the format that the header ``Accept`` prefers, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def describe(self) -> Iterable[Family]:
        """Nothing: the registry would ask all sources to find out."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Every metric of which there is a value."""
        values: dict[Metric, dict[tuple[str, ...], float]] = {}
        for metric, counts in self._counts.counts.copy().items():
            values[metric] = {labels: count.value for labels, count in counts.copy().items()}
        for source in self._counts.sources.copy():
            for metric, labels, value in source():
                known = values.setdefault(metric, {})
                known[labels] = known.get(labels, 0) + value
        for metric, known in values.items():
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = make(metric.name, metric.help, labels=metric.labels)
            for labels, value in known.items():
                family.add_metric(labels, value)
            yield family
        for metric, timings in self._counts.timings.copy().items():
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, timing in timings.copy().items():
                histogram.add_metric(labels, _buckets(timing), timing.seconds)
            yield histogram


def _buckets(timing: Timing) -> list[tuple[str, float]]:
    """Upper bounds, each with how many were at most as long."""
    found, reached = [], 0
    for upper, count in zip(_UPPER, timing.buckets.copy(), strict=True):
        reached += count
        found.append((upper, float(reached)))
    return found
