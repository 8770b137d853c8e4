"""Delivers to a webhook: one signed POST, bounded in time and in what is read of the answer."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import httpx

from deptbus.clock import Clock
from deptbus.notify.message import Notification
from deptbus.notify.schedule import Verdict, judge
from deptbus.notify.signing import sign

ANSWER_BYTES_MAX = 2_000
"""So much of an answer is read; the rest is not waited for."""
ANSWER_S = 1.0
"""How long the body of an answer is waited for, in seconds."""
_ANSWER_CHARS_MAX = 200


class WebhookSink:
    """Calls one URL. ``secrets``: every one signs. ``ca``: a file with the authorities to trust, or the usual ones."""

    def __init__(self, url: str, secrets: list[bytes], clock: Clock, timeout_s: float, ca: Path | None = None) -> None:
        self._url = url
        self._secrets = secrets
        self._clock = clock
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=str(ca)) if ca is not None else True,
            follow_redirects=False,  # what is signed for one receiver is no other's
            timeout=timeout_s,
            trust_env=False,
            limits=httpx.Limits(max_connections=1),
        )

    async def deliver(self, notification: Notification) -> Verdict:
        """One attempt. Its id stays the same, its time and signature are the attempt's own."""
        body, at_s = notification.body(), self._clock() // 1000
        headers = {
            "content-type": "application/json",
            "user-agent": "deptbus",
            "webhook-id": notification.id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": sign(self._secrets, notification.id, at_s, body),
        }
        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._client.build_request("POST", self._url, content=body, headers=headers)
                answer = await self._client.send(request, stream=True)
        except TimeoutError:
            return Verdict("away", f"no answer within {self._timeout_s:g} s")
        except httpx.HTTPError as error:
            return Verdict("away", f"{type(error).__name__}: {error}")
        except ValueError as error:  # an id that no header can carry
            return Verdict("refused", str(error))
        try:
            said = "" if answer.is_success else _text(await _beginning(answer))
            return judge(answer.status_code, answer.headers.get("retry-after"), self._clock() / 1000, said)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()


async def _beginning(answer: httpx.Response) -> bytes:
    """What the receiver says of it, as far as it says so at once; its status has decided already."""
    content = b""
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(ANSWER_S):
            async for piece in answer.aiter_raw():  # as it comes: nothing is decompressed
                content += piece[:ANSWER_BYTES_MAX]
                if len(content) >= ANSWER_BYTES_MAX:
                    break
    return content


def _text(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:_ANSWER_CHARS_MAX].strip()
