"""docs/notifications.md is true."""

import os
import re
import time
from typing import Any, get_args

from deptbus.notify.config import ChannelPart, What
from deptbus.notify.signing import new_secret, parse_secret, sign
from deptbus.settings import Settings
from tests.broker import ROOT

TEXT = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")


def test_the_receivers_code_verifies_and_refuses() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)  # the document's own
    old, new, now = new_secret(os.urandom(32)), new_secret(os.urandom(32)), int(time.time())
    signature = sign([parse_secret(new), parse_secret(old)], "an-id", now, b"{}")
    headers = {"webhook-id": "an-id", "webhook-timestamp": str(now), "webhook-signature": signature}
    assert found["is_genuine"](old, headers, b"{}")
    assert found["is_genuine"](new, headers, b"{}")
    assert not found["is_genuine"](new, headers, b"{ }")
    assert not found["is_genuine"](new_secret(os.urandom(32)), headers, b"{}")


def test_every_field_setting_and_kind_is_documented_with_its_default() -> None:
    for name in set(ChannelPart.model_fields) - {"name", "kind", "plain_http"} | set(get_args(What)):
        assert f"`{name}`" in TEXT, name
    for name, field in Settings.model_fields.items():
        if name.startswith("notify_"):
            assert f"BUS_{name.upper()}" in TEXT
            if field.default is not None:
                assert f"BUS_{name.upper()}` ({field.default:,})" in TEXT
