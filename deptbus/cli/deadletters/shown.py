"""How letters are shown, to people and to programs."""

from typing import TYPE_CHECKING, Any

import orjson

from deptbus.cli import output, showing, words
from deptbus.cli.deadletters.common import print_line, said
from deptbus.clock import iso
from deptbus.operations.masking import HIDDEN

if TYPE_CHECKING:
    from deptbus.operations.explaining import Explained
    from deptbus.operations.letters import Act, Heap, Letter, State
    from deptbus.record import Record
    from deptbus.settings import Settings

SHOWN_BYTES = 512
"""Bytes of a value that are shown unless all are asked for."""


def show_heaps(found: "list[Heap]", settings: "Settings", as_json: bool) -> None:
    if as_json:
        output.json([
            {
                "reason": heap.reason, "group": heap.group, "topic": heap.topic, "type": heap.type,
                "letters": heap.count, "states": heap.states, "first": iso(heap.first_ms), "last": iso(heap.last_ms),
            }
            for heap in found
        ])  # fmt: skip
        return
    lang = settings.lang
    rows = [
        (
            heap.count, words.word(heap.reason, lang), heap.group, f"{heap.topic}\n{heap.type or '?'}",
            "\n".join(f"{count} {_state(state, lang)}" for state, count in heap.states.items() if count),
            f"{words.moment(heap.first_ms)}\n{words.moment(heap.last_ms)}",
        )
        for heap in found
    ]  # fmt: skip
    showing.banner(settings)
    showing.table("", ("letters", "reason", "group", "topic", "state", "given_up"), rows, lang)
    if not found:
        output.note(said(lang, "There are no dead letters of that kind.", "没有此类死信。"))


def show_letters(found: "list[Letter]", settings: "Settings", as_json: bool) -> None:
    if as_json:
        output.json([letter_json(letter, settings) for letter in found])
        return
    for letter in found:
        state = _state(letter.state(settings.redrives_max), settings.lang)
        parts = (
            iso(letter.last_ms), letter.id, state, letter.reason, letter.group, letter.type or "?", letter.coordinates
        )  # fmt: skip
        output.out.print(words.plain(" ".join(parts)), markup=False, soft_wrap=True)


def letter_json(letter: "Letter", settings: "Settings") -> dict[str, Any]:
    return {
        "id": letter.id, "state": letter.state(settings.redrives_max), "topic": letter.topic,
        "partition": letter.partition, "offset": letter.offset, "timestamp": iso(letter.timestamp_ms),
        "type": letter.type, "event": letter.event_id, "group": letter.group, "reason": letter.reason,
        "message": letter.message, "attempts": letter.attempts, "truncated": letter.truncated, "bytes": letter.size,
        "sent_again": letter.count, "sent_from": letter.sent_from, "returned_as": letter.returned,
        "first": iso(letter.first_ms), "last": iso(letter.last_ms),
        "acts": [
            {
                "act": act.act, "at": iso(act.at_ms), "actor": act.actor, "reason": act.reason, "event": act.event,
                "forced": act.forced, "run": act.run,
            }
            for act in letter.acts
        ],
    }  # fmt: skip


def content_json(record: "Record", explained: "Explained", *, bare: bool, unmask: bool) -> dict[str, Any]:
    """What a letter holds; ``bare``: with its bytes, ``unmask``: with who acted."""
    from dataclasses import asdict

    return {
        "key": _text(record.key),
        "headers": [{"name": name, "value": _header(name, value, unmask)} for name, value in record.headers],
        "bytes": len(record.value or b""),
        "value": record.value.hex() if bare and record.value is not None else None,
        "read": asdict(explained),
    }


def show_letter(
    letter: "Letter",
    record: "Record",
    explained: "Explained",
    settings: "Settings",
    *,
    bare: bool,
    unmask: bool,
    whole: bool,
) -> None:
    """A letter for people; ``bare`` and ``unmask`` as above, ``whole``: all of the bytes."""
    lang = settings.lang
    showing.banner(settings)
    rows: list[tuple[str, object]] = [
        ("letter", letter.id), ("state", _state(letter.state(settings.redrives_max), lang)),
        ("group", letter.group), ("reason", words.word(letter.reason, lang)), ("message", letter.message),
        ("attempts", letter.attempts), ("given_up", iso(letter.last_ms)), ("record", letter.coordinates),
        ("at", iso(letter.timestamp_ms)), ("key", _text(record.key)), ("sent_again", letter.count or None),
        ("sent_from", letter.sent_from), ("returned_as", letter.returned),
    ]  # fmt: skip
    for name, value in rows:
        if value is not None:
            print_line(f"{words.word(name, lang)}: {value}")
    for name, content in record.headers:
        print_line(f"  {name}: {_header(name, content, unmask)}")
    for act in letter.acts:
        print_line(_told(act, lang))
    if record.value is not None:
        print_line(f"{words.word('value', lang)}: {len(record.value)} bytes")
        _show_bytes(record.value if bare else None, lang, whole=whole)
    _show_read(explained, lang)


def _show_bytes(value: bytes | None, lang: str, *, whole: bool) -> None:
    from deptbus.operations.explaining import hex_dump

    if value is None:
        print_line(said(
            lang, "  They may hold personal data: --unmask --reason TEXT shows them.",
            "  其中可能有个人信息：用 --unmask --reason 查看。",
        ))  # fmt: skip
        return
    shown = value if whole else value[:SHOWN_BYTES]
    for line in hex_dump(shown):
        print_line(f"  {line}")
    left = len(value) - len(shown)
    if left:
        print_line(said(lang, f"  … {left} more: --bytes", f"  …… 其余 {left} 字节：--bytes"))


def _show_read(explained: "Explained", lang: str) -> None:
    name, number = explained.schema, explained.schema_id
    if name is not None:
        print_line(said(lang, f"read as {name}, schema id {number}:", f"按 {name}（模式编号 {number}）解读："))
        text = orjson.dumps(explained.data, option=orjson.OPT_INDENT_2, default=str).decode()
        output.out.print(words.plain(text), markup=False, soft_wrap=True)
    if explained.problem:
        places = [] if explained.at is None else [f"byte {explained.at}", *([explained.path] if explained.path else [])]
        where = f" ({', '.join(places)})" if places else ""
        print_line(said(lang, f"It breaks: {explained.problem}{where}", f"无法解读：{explained.problem}{where}"))


def _told(act: "Act", lang: str) -> str:
    event = f" → {act.event}" if act.event else ""
    return f"{iso(act.at_ms)} {words.word(act.act, lang)} ({act.actor}): {act.reason}{event}"


def _state(state: "State", lang: str) -> str:
    return words.word("letter_open" if state == "open" else state, lang)


def _header(name: str, content: bytes | None, unmask: bool) -> str | None:
    return HIDDEN if name == "ce_actor" and not unmask else _text(content)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "backslashreplace")
