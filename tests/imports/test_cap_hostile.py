"""Files that are made to hurt are refused at once, and nothing in them is followed, opened or expanded."""

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.imports.cap.alert import read_bytes
from deptbus.imports.cap.files import read as read_files
from tests.imports.cap_files import NAMESPACES, cap, read, refusals

DOCTYPE = "the file has a document type (<!DOCTYPE …>), which no alert needs; none is read"


def _with_doctype(doctype: str, event: str = "暴雨") -> str:
    return cap().replace("<alert", f"{doctype}\n<alert", 1).replace("暴雨<", f"{event}<")


def _laughs(start: str, times: int) -> str:
    lines = [f'<!ENTITY e0 "{start}">']
    lines += [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, times)]
    return "<!DOCTYPE alert [" + "\n".join(lines) + "]>"


BOMBS = {
    "billion laughs": _with_doctype(_laughs("ha", 12), "&e11;"),
    "billion laughs in an attribute": cap().replace("<alert", f'{_laughs("ha", 12)}\n<alert a="&e11;"', 1),
    "quadratic blow-up": _with_doctype(f'<!DOCTYPE alert [<!ENTITY a "{"x" * 50_000}">]>', "&a;" * 50_000),
    "an external entity": _with_doctype('<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
    "a parameter entity": _with_doctype('<!DOCTYPE alert [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'),
    "a plain document type": _with_doctype("<!DOCTYPE alert>"),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_anything_in_it_is_read(text: str, codec: str) -> None:
    started = time.monotonic()
    raw = text.replace("UTF-8", codec.upper(), 1).encode(codec)
    assert refusals(raw) == [(2, DOCTYPE)]
    assert time.monotonic() - started < 2


def test_nothing_is_fetched() -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its name in http.server
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        read(_with_doctype(f'<!DOCTYPE alert SYSTEM "{url}/a.dtd" [<!ENTITY x SYSTEM "{url}/b">]>', "&x;"))
        read(cap().replace("<info>", f'<info {xsi} xsi:schemaLocation="urn:x {url}/c.xsd">'))
        read(cap().replace("<alert", f'<?xml-stylesheet href="{url}/d.xsl" type="text/xsl"?><alert', 1))
        read(cap().replace("暴雨<", f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}/e"/><'))
        server.shutdown()
    assert asked == []


def test_an_inclusion_is_refused_and_not_followed() -> None:
    included = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    found = refusals(cap().replace("暴雨<", f"{included}<"))
    assert found == [(12, "event holds the element include of http://www.w3.org/2001/XInclude; it is text")]


def test_white_space_before_the_root_costs_no_time() -> None:
    started = time.monotonic()
    assert read(cap().replace("<alert", " \n" * 100_000 + "<alert", 1)).item is not None
    assert time.monotonic() - started < 2


BROKEN: dict[str, tuple[bytes, int, str]] = {
    "an empty file": (b"", 0, "the file is empty"),
    "blanks": (b" \n ", 0, "the file is empty"),
    "no XML": (b'{"alert": 1}', 1, "not well-formed XML"),
    "a cut-off file": (cap().encode()[:600], 18, "not well-formed XML"),
    "an entity of no one": (cap().replace("暴雨<", "&nbsp;<").encode(), 12, "Entity 'nbsp' not defined"),
    "a null byte": (cap().replace("暴雨<", "\0<").encode(), 12, "not well-formed XML"),
    "a line before the declaration": (b"\n" + cap().encode(), 2, "XML declaration allowed only at the start"),
    "an encoding that is not the one declared": (
        cap(info="").replace("warning@", "wärning@").encode("latin-1"), 4, "not well-formed XML",
    ),
    "an encoding that no one knows": (cap(encoding="KLINGON-8").encode(), 1, "KLINGON-8"),
    "UTF-16 declared as UTF-8": (cap().encode("utf-16"), 1, "declares the encoding UTF-8, but is written in UTF-16"),
    "deep nesting": (
        f'<alert xmlns="{NAMESPACES["1.2"]}">{"<a>" * 50_000}{"</a>" * 50_000}</alert>'.encode(), 1, "depth",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "line", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_files_say_where_and_why(raw: bytes, line: int, reason: str) -> None:
    found = refusals(raw)
    assert found[0][0] == line
    assert reason in found[0][1]


def test_a_file_over_the_bound_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "huge.cap"
    path.write_bytes(b"<" * 2_000)
    (done,) = read_files([str(path)], 1_000, lambda kind, data: b"")
    assert done.refusals[0].reason == "the file is larger than 1000 bytes (BUS_IMPORT_BYTES_MAX)"


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 8), st.binary(max_size=6)), min_size=1, max_size=6))
def test_no_bytes_make_reading_fail(cuts: list[tuple[int, int, bytes]]) -> None:
    raw = cap().encode()
    for at, length, instead in cuts:
        start = at % len(raw)
        raw = raw[:start] + instead + raw[start + length :]
    done = read_bytes("storm.cap", raw)
    assert (done.item is None) == bool(done.refusals)
