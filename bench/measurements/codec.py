"""One event from dict to value bytes and back, against bare fastavro and against Confluent's serializers.

- The events are those of the epidemic exercise: a small one, one of the middle, one with a value in it, and
  snapshots of several thousand bytes. Up to fifty different ones of each type.
- A run does every type for about as long, in CPU time of its process. Its rate is the geometric mean over the types,
  so every type has the same weight in the ratio; by bytes the snapshots would be all that counts.
- fastavro writes no header and checks neither sizes nor what follows; ours does. Confluent's have the same header.
- After every run the bytes, or the data, are compared with what they must be.
"""

from collections.abc import Callable, Iterable
from statistics import geometric_mean, median

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import alternate
from bench.suite.processes import Side

TYPES = ("health.CasesConfirmed", "workflow.TaskRequested", "workflow.EntryAppended", "workflow.InstanceChanged")
EACH = 50
FASTAVRO = "fastavro schemaless on the same parsed schema"
BOUNDS = (
    Bound(f"encode one event, dict to value bytes, against {FASTAVRO}", 0.9),
    Bound(f"decode one event, value bytes to dict, against {FASTAVRO}", 0.9),
    Bound("encode one event, dict to value bytes, against confluent-kafka's AvroSerializer", 2.0),
    Bound("decode one event, value bytes to dict, against confluent-kafka's AvroDeserializer", 2.0),
)
ASKED = (
    ("encode", "encode_fastavro"),
    ("decode", "decode_fastavro"),
    ("encode", "encode_confluent"),
    ("decode", "decode_confluent"),
)
"""Of ours and of the peers, for each bound."""


def measure(bench: Bench) -> Iterable[Result]:
    """About 90 s; 35 s when quick, most of it to play the exercise and to start the registry."""
    with Side(bench.python, "bench.ours.codec") as ours, Side(bench.peers_python, "bench.peers.codec") as peers:
        sample = ours.ask("sample", types=TYPES, each=EACH)
        ids = peers.ask("start", sample=sample, registry=bench.stack.registry_url)
        ours.ask("start", sample=sample, ids=ids)
        sizes = {kind: sum(map(len, sample[kind]["bodies"])) / 2 / len(sample[kind]["bodies"]) for kind in TYPES}
        # A run of one type takes so long, by what fastavro takes: 2 µs, and 20 ns for each byte.
        run_s = bench.of(50, 15) / 1000
        rounds = {kind: max(1, round(run_s / (2e-6 + 20e-9 * size) / EACH)) for kind, size in sizes.items()}
        return [
            _compare(bound, ours, our, peers, peer, rounds, sizes, bench.of(30, 7))
            for bound, (our, peer) in zip(BOUNDS, ASKED, strict=True)
        ]


def _compare(
    bound: Bound, ours: Side, our: str, peers: Side, peer: str,
    rounds: dict[str, int], sizes: dict[str, float], pairs: int,
) -> Result:  # fmt: skip
    rates: dict[str, list[dict[str, float]]] = {our: [], peer: []}

    def run(side: Side, what: str) -> Callable[[], float]:
        def once() -> float:
            found = {kind: side.ask(what, kind=kind, rounds=count) for kind, count in rounds.items()}
            rates[what].append(found)
            return geometric_mean(found.values())

        return once

    ratio = alternate(run(ours, our), run(peers, peer), pairs)
    each = [
        f"{kind} ({sizes[kind]:,.0f} bytes) {_middle(rates[our], kind) / _middle(rates[peer], kind):.2f}, "
        f"{1e6 / _middle(rates[our], kind):.1f} µs"
        for kind in rounds
    ]
    return bound.result(ratio.median, ratio.low, ratio.high, "; ".join(each))


def _middle(rates: list[dict[str, float]], kind: str) -> float:
    return median(found[kind] for found in rates[1:])  # the first was the warm-up
