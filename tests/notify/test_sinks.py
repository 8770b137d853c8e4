"""What delivers: a file, and a webhook on this machine."""

import asyncio
import os
import socket
import ssl
import subprocess
import time
from pathlib import Path

import orjson
import pytest
from standardwebhooks import Webhook

from deptbus.clock import system_clock
from deptbus.notify.files import FileSink
from deptbus.notify.message import Notification
from deptbus.notify.schedule import Verdict
from deptbus.notify.signing import new_secret, parse_secret
from deptbus.notify.webhook import ANSWER_S, WebhookSink
from tests.notify.receiving import Answer, Receiver, receiving

SECRET = new_secret(os.urandom(32))


def note(number: int = 1) -> Notification:
    return Notification(f"id-{number}", {"id": f"id-{number}", "title": {"zh": "新任务"}})


def call(receiver: Receiver, secrets: tuple[str, ...] = (SECRET,)) -> Verdict:
    """One attempt."""
    return _deliver(receiver.url, secrets=secrets)


def _deliver(url: str, timeout_s: float = 5, secrets: tuple[str, ...] = (SECRET,), ca: Path | None = None) -> Verdict:
    async def deliver() -> Verdict:
        sink = WebhookSink(url, [parse_secret(one) for one in secrets], system_clock, timeout_s, ca)
        try:
            return await sink.deliver(note())
        finally:
            await sink.close()

    return asyncio.run(deliver())


def append(path: Path, *notes: Notification) -> list[Verdict]:
    async def deliver() -> list[Verdict]:
        return [await FileSink(path).deliver(one) for one in notes]

    return asyncio.run(deliver())


def test_a_file_gets_a_line_for_each(tmp_path: Path) -> None:
    path = tmp_path / "new" / "duty.jsonl"
    assert {verdict.kind for verdict in append(path, note(1), note(2))} == {"delivered"}
    assert [orjson.loads(line)["id"] for line in path.read_bytes().splitlines()] == ["id-1", "id-2"]
    assert path.stat().st_mode & 0o007 == 0


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "duty.jsonl"
    path.write_bytes(b'{"id":"id-')
    append(path, note(1))
    assert path.read_bytes().splitlines()[0] == b'{"id":"id-'
    assert orjson.loads(path.read_bytes().splitlines()[1])["id"] == "id-1"


def test_a_file_that_cannot_be_written_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    (verdict,) = append(tmp_path / "taken" / "duty.jsonl", note())
    assert verdict.kind == "away"
    assert append(tmp_path, note())[0].kind == "away"


def test_a_call_is_signed_so_that_others_verify_it_while_secrets_overlap() -> None:
    other = new_secret(os.urandom(32))
    with receiving() as receiver:
        assert call(receiver, secrets=(SECRET, other)) == Verdict("delivered")
        (got,) = receiver.calls
    for secret in (SECRET, other):
        assert Webhook(secret).verify(got.body, dict(got.headers)) == got.content
    assert got.headers["content-type"] == "application/json"
    assert got.id == got.content["id"] == "id-1"


def test_what_a_receiver_answers_decides() -> None:
    with receiving() as receiver:
        receiver.answers = [Answer(400, {}, b"no \x1b[2J such duty"), Answer(503, {"retry-after": "7"}), Answer(500)]
        assert call(receiver) == Verdict("refused", "HTTP 400: no  [2J such duty")
        assert call(receiver) == Verdict("away", "HTTP 503", 7.0)
        assert call(receiver) == Verdict("failed", "HTTP 500")


def test_redirections_are_not_followed() -> None:
    with receiving() as receiver, receiving() as elsewhere:
        receiver.answers = [Answer(307, {"location": elsewhere.url})]
        assert call(receiver).kind == "refused"
        assert elsewhere.calls == []


@pytest.mark.parametrize("pause_s", [0.0, 5.0])
def test_an_answer_that_never_ends_is_judged_by_its_status(pause_s: float) -> None:
    with receiving() as receiver:
        receiver.answers = [Answer(200, endless_s=pause_s), Answer(400, {}, b"no", endless_s=pause_s)]
        began = time.monotonic()
        assert call(receiver).kind == "delivered"
        verdict = call(receiver)
        assert verdict.kind == "refused"
        assert verdict.reason.startswith("HTTP 400: no")
        assert len(verdict.reason) < 300
        assert time.monotonic() - began < (ANSWER_S if pause_s == 0 else ANSWER_S + 1)


def test_a_receiver_that_takes_the_call_and_says_nothing_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        verdict = _deliver(f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout_s=0.3)
    assert verdict == Verdict("away", "no answer within 0.3 s")


def test_nobody_there_is_waited_for() -> None:
    with receiving() as receiver:
        url = receiver.url
    assert _deliver(url).kind == "away"


def test_a_certificate_must_be_trusted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with receiving() as receiver:
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        url = receiver.url.replace("http:", "https:")
        verdict = _deliver(url)
        assert verdict.kind == "away"
        assert "certificate" in verdict.reason.lower()
        assert receiver.calls == []
        assert _deliver(url, ca=certificate).kind == "delivered"


@pytest.mark.parametrize("text", ["新", "a\nb"])
def test_an_id_that_no_header_carries_is_refused_or_waited_for_and_never_an_error(text: str) -> None:
    async def deliver(url: str) -> Verdict:
        sink = WebhookSink(url, [parse_secret(SECRET)], system_clock, 5)
        try:
            return await sink.deliver(Notification(text, {}))
        finally:
            await sink.close()

    with receiving() as receiver:
        assert asyncio.run(deliver(receiver.url)).kind != "delivered"
        assert receiver.calls == []
