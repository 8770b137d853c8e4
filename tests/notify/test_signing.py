"""Signatures, checked by an implementation of others."""

import json
import os
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from deptbus.notify.signing import new_secret, parse_secret, sign, verify

BODY = json.dumps({"title": {"zh": "新任务"}}, ensure_ascii=False).encode()


def headers(secrets: list[str], at_s: float, body: bytes = BODY) -> dict[str, str]:
    keys = [parse_secret(secret) for secret in secrets]
    return {
        "webhook-id": "an-id",
        "webhook-timestamp": str(int(at_s)),
        "webhook-signature": sign(keys, "an-id", int(at_s), body),
    }


def test_what_we_sign_another_implementation_verifies() -> None:
    secret, now = new_secret(os.urandom(32)), time.time()
    assert Webhook(secret).verify(BODY, headers([secret], now)) == {"title": {"zh": "新任务"}}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers([secret], now))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(os.urandom(32))).verify(BODY, headers([secret], now))


def test_while_secrets_overlap_both_holders_can_verify() -> None:
    old, new, now = new_secret(os.urandom(32)), new_secret(os.urandom(32)), time.time()
    signed = headers([new, old], now)
    assert Webhook(old).verify(BODY, signed)
    assert Webhook(new).verify(BODY, signed)
    assert verify([parse_secret(old)], signed, BODY, now) is None
    assert verify([parse_secret(new)], signed, BODY, now) is None


def test_what_is_wrong_with_a_message_is_said() -> None:
    secret, now = new_secret(os.urandom(32)), 1_000_000.0
    key, good = parse_secret(secret), headers([secret], now)
    assert verify([key], good, BODY, now + 299) is None
    assert "no signature fits" in (verify([key], good, BODY + b" ", now) or "")
    assert "no signature fits" in (verify([key], good | {"webhook-id": "another"}, BODY, now) or "")
    assert "no signature fits" in (verify([key], good | {"webhook-signature": "v1,x"}, BODY, now) or "")
    assert "301 s before now" in (verify([key], good, BODY, now + 301) or "")
    assert "no number" in (verify([key], good | {"webhook-timestamp": "١"}, BODY, now) or "")
    assert "webhook-signature is missing" in (verify([key], good | {"webhook-signature": ""}, BODY, now) or "")


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!!", "c2hvcnQ=", "correct horse battery staple"])
def test_a_weak_or_broken_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="a secret") as refused:
        parse_secret(text)
    assert not text or text not in str(refused.value)
