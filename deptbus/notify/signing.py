"""Signatures of webhooks, in the style of Standard Webhooks: HMAC-SHA256 over ``<id>.<timestamp>.<body>``."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
TOLERANCE_S = 300
"""How far a timestamp may be from the receiver's clock, in seconds."""


def new_secret(random: bytes) -> str:
    """A secret as it is kept: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(random).decode()


def parse_secret(text: str) -> bytes:
    """The key in a secret as it is kept; ``ValueError`` (which never shows it) for anything else."""
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"a secret is {PREFIX} and base64") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(f"a secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, this one {len(key)}")
    return key


def sign(secrets: Iterable[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """``webhook-signature``: one ``v1,<base64>`` for each secret, separated by spaces."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{base64.b64encode(_mac(secret, content)).decode()}" for secret in secrets)


def verify(
    secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float, tolerance_s: float = TOLERANCE_S
) -> str | None:
    """What is wrong with a message, in words; None if one of the secrets has signed it, not long ago.

    ``headers`` by their names in small letters.
    """
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if missing:
        return f"the header {missing[0]} is missing"
    text = headers["webhook-timestamp"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return "webhook-timestamp is no number of seconds"
    if abs(now_s - int(text)) > tolerance_s:
        return f"webhook-timestamp is {now_s - int(text):.0f} s before now; at most {tolerance_s:g} s are tolerated"
    content = f"{headers['webhook-id']}.{text}.".encode() + body
    given = [part.removeprefix("v1,") for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
    for secret in secrets:
        expected = base64.b64encode(_mac(secret, content))
        if any(hmac.compare_digest(expected, one.encode()) for one in given):
            return None
    return "no signature fits: another secret signed it, or its id, time or body was altered"


def _mac(secret: bytes, content: bytes) -> bytes:
    return hmac.new(secret, content, hashlib.sha256).digest()
