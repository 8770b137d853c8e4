"""The client's side of SCRAM (RFC 5802) in two messages. Pure but for the nonce that is given."""

import base64
import hashlib
import hmac

from deptbus.errors import ClusterUnreachable

HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
_ITERATIONS_MAX = 1_000_000


class Scram:
    """One conversation; ``nonce`` is random, printable and without a comma."""

    def __init__(self, mechanism: str, user: str, password: str, nonce: str) -> None:
        self._hash = HASHES[mechanism]
        self._password = password
        self._nonce = nonce
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """What is sent first."""
        return f"n,,{self._bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        """What answers the server's challenge; ``ClusterUnreachable`` where it is none."""
        fields = _fields(challenge)
        if not fields.get("r", "").startswith(self._nonce) or not 0 < int(fields.get("i", "0")) <= _ITERATIONS_MAX:
            raise ClusterUnreachable("The broker's challenge is not as SCRAM has it; check BUS_SASL_MECHANISM.")
        salt = base64.b64decode(fields["s"])
        salted = hashlib.pbkdf2_hmac(self._hash, self._password.encode(), salt, int(fields["i"]))
        client = self._hmac(salted, b"Client Key")
        without = f"c=biws,r={fields['r']}"
        signed = ",".join([self._bare, challenge.decode(), without]).encode()
        stored = hashlib.new(self._hash, client).digest()
        proof = bytes(a ^ b for a, b in zip(client, self._hmac(stored, signed), strict=True))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), signed)
        return f"{without},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, last: bytes) -> None:
        """``ClusterUnreachable`` unless the server has shown that it knows the password, too."""
        if not hmac.compare_digest(_fields(last).get("v", ""), base64.b64encode(self._signature).decode()):
            raise ClusterUnreachable(
                "What answers does not know the password of BUS_SASL_USERNAME: it is not the broker."
            )

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._hash).digest()


def _fields(message: bytes) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.decode("utf-8", "replace").split(",") if "=" in part)
