"""How a chain is shown to people: a tree with a few lines for each event."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from deptbus.cli import output, words
from deptbus.clock import iso
from deptbus.operations.lineage.chain import Chain, Node
from deptbus.operations.lineage.rows import Place
from deptbus.operations.lineage.told import Teller, latency_ms
from deptbus.settings import Settings

_RECORDS = frozenset({"workflow.TimelineRecorded", "workflow.EntryAppended"})
"""What is counted only, where nothing follows from it: it says what was done with the event above."""
_MESSAGE_CHARS_MAX = 200
_SAYINGS = {
    "again": ("also at {}", "另见 {}"),
    "all": ("--all shows them", "--all 可显示全部"),
    "asked": ("this one", "所查事件"),
    "basis": ("basis: {}", "依据：{}"),
    "cause_gone": ("its cause {} is on no topic any more", "其起因 {} 已不在任何主题上"),
    "failed": ("failed in {}: {}", "在 {} 处理失败：{}"),
    "handled": ("handled by {}", "已处理：{}"),
    "instance": ("instance {}", "实例 {}"),
    "more": ("and {} more effects", "另有 {} 个后续事件"),
    "not_whole": (
        "There is more; --limit takes more events into the tree.",
        "事件未全部列出；用 --limit 增加条数。",
    ),
    "opened": ("opened {}", "启动 {}"),
    "replay": ("from replay {}", "来自重放 {}"),
    "waiting": ("not read yet by {}", "尚未读取：{}"),
}


def show(chain: Chain, teller: Teller, settings: Settings, *, everything: bool) -> None:
    """Print the tree; what is not a terminal gets lines as long as they are."""
    view = _View(teller, settings.lang, stepped=bool(settings.namespace), everything=everything)
    console = output.out if output.out.is_terminal else Console(width=output.WIDTH_MAX, highlight=False)
    for root in chain.roots:
        console.print(view.tree(root))
    if not chain.whole:
        output.note(view.say("not_whole"))


class _View:
    """Tells of nodes in one language. ``stepped``: events are dated by exercise time, not by the broker's."""

    def __init__(self, teller: Teller, lang: str, *, stepped: bool, everything: bool) -> None:
        self._teller = teller
        self._lang = lang
        self._stepped = stepped
        self._everything = everything

    def say(self, what: str, *about: object) -> str:
        """A saying in the reader's language."""
        return _SAYINGS[what][self._lang == "zh"].format(*about)

    def tree(self, root: Node) -> Tree:
        """The tree of a node and of all below."""
        tree = Tree(self._label(root, None), guide_style="dim")
        left = [(root, tree)]
        while left:
            node, branch = left.pop()
            counted, told = self._split(node.effects)
            left += [(below, branch.add(self._label(below, node))) for below in (*node.letters, *told)]
            rest = [f"{count} {kind}" for kind, count in sorted(counted.items())]
            if node.more:
                rest.append(self.say("more", node.more))
            if rest:
                branch.add(Text(f"{', '.join(rest)} ({self.say('all')})", style="dim"))
        return tree

    def _split(self, effects: Iterable[Node]) -> tuple[Counter[str], list[Node]]:
        """Records that are counted only, and events that are told."""
        counted: Counter[str] = Counter()
        told = []
        for node in effects:
            below = node.effects or node.letters or node.more or node.asked or self._everything
            if node.row.type in _RECORDS and not below:
                counted[node.row.type] += 1
            else:
                told.append(node)
        return counted, told

    def _label(self, node: Node, above: Node | None) -> Text:
        row = node.row
        head = Text(words.plain(row.type), style="bold reverse" if node.asked else "bold cyan")
        head.append(f" {self._who(self._teller.department(row))}", style="not bold not reverse default")
        if node.asked:
            head.append(f"  ◀ {self.say('asked')}", style="not reverse bold")
        return Text("\n").join(
            [head, *(Text(words.plain(text), style=style) for text, style in self._lines(node, above))]
        )

    def _lines(self, node: Node, above: Node | None) -> Iterator[tuple[str, str]]:
        row, teller = node.row, self._teller
        yield teller.id(row.id), "dim"
        yield f"{_place(row.place)}  {iso(row.time_ms)}{self._hop(node, above)}", "yellow"
        if row.basis:
            yield self.say("basis", row.basis), ""
        if row.instance and (above is None or above.row.instance != row.instance):
            yield self.say("instance", row.instance), ""
        for instance in node.opened:
            yield self.say("opened", instance), "bold green"
        if row.replay:
            yield self.say("replay", row.replay), "magenta"
        if node.again:
            yield self.say("again", ", ".join(_place(one.place) for one in node.again)), "magenta"
        if node.cause_gone and row.cause is not None:
            yield self.say("cause_gone", teller.id(row.cause)), "dim"
        handling = teller.handling(node)
        for what, groups in (("handled", handling.handled), ("waiting", handling.waiting)):
            if groups:
                yield self.say(what, ", ".join(map(self._who, groups))), ""
        for failure in teller.failed(node):
            message = f"{failure.reason}: {failure.message}"[:_MESSAGE_CHARS_MAX]
            yield self.say("failed", self._who(failure.group), message), "bold red"

    def _hop(self, node: Node, above: Node | None) -> str:
        """How long after its cause: by the topics' timestamps, and in an exercise by its own time before."""
        latency = latency_ms(node, above)
        if latency is None or above is None:
            return ""
        apart = node.row.time_ms - above.row.time_ms
        own = f"  +{words.span(apart, self._lang)}" if self._stepped and apart > 0 else ""
        return f"{own}  {'+' if latency >= 0 else ''}{_length(latency, self._lang)}"

    def _who(self, name: str) -> str:
        title = self._teller.title(name, self._lang)
        return f"{title} ({name})" if title else name


def _place(place: Place) -> str:
    return f"{place.topic}[{place.partition}]@{place.offset}"


def _length(length_ms: int, lang: str) -> str:
    """Milliseconds, seconds, or from a minute on in words."""
    if abs(length_ms) < 1_000:
        return f"{length_ms} ms"
    if abs(length_ms) < 60_000:
        return f"{length_ms / 1000:.1f} s"
    return words.span(length_ms, lang)
