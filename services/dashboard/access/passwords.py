"""Passwords: how they are hashed and judged. Judging an unknown name costs what judging a known one does."""

import hashlib
import unicodedata
from secrets import token_hex

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from deptbus.errors import ActRefused

LENGTH_MIN = 12
"""Characters at least (NIST SP 800-63B asks for length, and for no mixture of kinds)."""
LENGTH_MAX = 1_024
"""Characters at most."""

_HASHER = PasswordHasher()  # argon2id by RFC 9106, for where memory is short: 64 MiB
_NOBODY = _HASHER.hash(token_hex(16))
"""What the password of an unknown name is compared with."""


def hash_password(password: str) -> str:
    """The hash that is kept of a password; ``ActRefused`` where it is too short or too long."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise ActRefused(f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters; this one has {len(password)}.")
    return _HASHER.hash(_same(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether this is the password of which ``kept`` is the hash; None: of nobody, at the same cost."""
    try:
        return _HASHER.verify(kept or _NOBODY, _same(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_hash(text: object) -> bool:
    """Whether this looks like what ``hash_password`` gives."""
    return isinstance(text, str) and text.startswith("$argon2id$")


def mark_of(kept: str) -> str:
    """What a session remembers of a hash: it ends when another password is set, and tells nothing of it."""
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


def _same(password: str) -> str:
    return unicodedata.normalize("NFC", password)  # one keyboard sends an accent as a part, another as a whole
