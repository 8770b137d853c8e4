"""Sign-on by OpenID Connect: authorization code with PKCE (S256), state and nonce, and ID tokens that are checked.

What is taken on trust is the issuer that the settings name, reached by https (or on this machine). What it answers is
bounded, no redirect of it is followed, and only signatures by its public keys count: never ``none`` or a shared key.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from deptbus.clock import Clock, system_clock
from deptbus.errors import SettingsError
from deptbus.logs import logger
from services.dashboard.access import sentences
from services.dashboard.access.claims import ClaimNames
from services.dashboard.access.place import is_loopback
from services.dashboard.access.sentences import AccessRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
SCOPE = "openid profile"
TIMEOUT_S = 10
"""How long one answer of the provider may take, in seconds."""
ANSWER_BYTES_MAX = 512 * 1024
KNOWN_MS = 3_600_000
"""How long what the provider publishes of itself is taken as it was read, in milliseconds."""
PENDING_MS = 600_000
"""How long a person may take at the provider, in milliseconds."""
LEEWAY_S = 60
"""How far the provider's clock may be from this one, in seconds."""

_log = logger("services.dashboard.access.oidc")


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-on that has gone to the provider; kept by the browser that began it, signed."""

    state: str
    nonce: str
    verifier: str
    back: str
    """Where the provider sends the browser."""
    then: str
    """The page of the dashboard that is shown in the end."""
    at_ms: int


class _Registry(JWSRegistry):
    max_header_length = 8_192  # some providers send their certificates along


class Provider:
    """One identity provider. ``ca``: a file with the authorities to trust, or the usual ones."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None = None, names: ClaimNames | None = None,
        ca: Path | None = None, clock: Clock = system_clock,
    ) -> None:  # fmt: skip
        _check_url(issuer)
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self.names = names or ClaimNames()
        self._clock = clock
        self._verify: ssl.SSLContext | bool = True
        if ca is not None:
            try:
                self._verify = ssl.create_default_context(cafile=str(ca))
            except OSError as error:  # ssl.SSLError is one
                raise SettingsError(f"{ca} cannot be read as authorities: {error.strerror or error}.") from None
        self._lock = asyncio.Lock()
        self._known: dict[str, Any] = {}
        self._known_at_ms = 0
        self.mark = hashlib.sha256(f"{issuer} {client_id}".encode()).hexdigest()[:16]
        """What sessions remember of the provider: with another one they end."""

    async def begin(self, back: str, then: str) -> tuple[str, Pending]:
        """Where to send a browser, and what it has to bring back; ``AccessRefused`` where the provider is away."""
        known = await self._discovered()
        pending = Pending(token_urlsafe(32), token_urlsafe(32), token_urlsafe(48), back, then, self._clock())
        challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": SCOPE,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(known["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}", pending

    async def finish(self, pending: Pending, answer: Mapping[str, str]) -> dict[str, Any]:
        """The claims of whoever came back with this answer; ``AccessRefused`` where anything about it is not right."""
        if self._clock() >= pending.at_ms + PENDING_MS:
            raise AccessRefused(400, sentences.AGAIN)
        if not hmac.compare_digest(pending.state.encode(), answer.get("state", "").encode()):
            _refuse(400, "the state is another's", sentences.AGAIN)
        known = await self._discovered()
        # RFC 9207: with several providers, one must not answer in another's name.
        told = answer.get("iss")
        if told != known["issuer"] and (told or known.get("authorization_response_iss_parameter_supported")):
            _refuse(400, "the answer is another issuer's")
        if "code" not in answer:
            _refuse(403, f"the provider says {answer.get('error', 'nothing')[:100]!r}")
        tokens = await self._redeem(known, pending, answer["code"])
        token = tokens.get("id_token")
        if not isinstance(token, str):
            _refuse(403, "the provider gives no ID token")
        claims = await self._checked(known, token, pending.nonce)
        return await self._more(known, claims, tokens.get("access_token")) if self.names.missing(claims) else claims

    async def _more(self, known: Mapping[str, Any], claims: dict[str, Any], access: object) -> dict[str, Any]:
        """The claims with what the provider says of the same person when it is asked (the UserInfo endpoint)."""
        endpoint = known.get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not isinstance(access, str):
            return claims
        async with self._client() as client:
            status, more = await _answer(client, "GET", endpoint, headers={"Authorization": f"Bearer {access}"})
        if status != httpx.codes.OK or more.get("sub") != claims["sub"]:
            _refuse(403, f"asked further, the provider answers {status}, or of somebody else")
        return more | claims

    async def _redeem(self, known: Mapping[str, Any], pending: Pending, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.back,
            "code_verifier": pending.verifier,
        }
        auth = None
        if self._client_secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._client_secret))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        async with self._client() as client:
            status, tokens = await _answer(client, "POST", known["token_endpoint"], data=form, auth=auth)
        if status != httpx.codes.OK:
            _refuse(403, f"the code is refused: {status} {str(tokens.get('error'))[:100]!r}")
        return tokens

    async def _checked(self, known: Mapping[str, Any], value: str, nonce: str) -> dict[str, Any]:
        registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)
        expected = jwt.JWTClaimsRegistry(
            now=lambda: self._clock() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": known["issuer"]},
            sub={"essential": True},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                token = jwt.decode(value, await self._keys(), registry=registry)
            except InvalidKeyIdError:  # the provider has changed its keys since
                token = jwt.decode(value, await self._keys(anew=True), registry=registry)
            expected.validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            _refuse(403, f"the ID token does not hold: {type(error).__name__} {error}")
        if token.claims.get("azp", self._client_id) != self._client_id:
            _refuse(403, "the ID token is for another client")
        return token.claims

    async def _keys(self, *, anew: bool = False) -> KeySet:
        known = await self._discovered()
        if anew or "_keys" not in known:
            async with self._client() as client:
                status, answer = await _answer(client, "GET", known["jwks_uri"])
            if status != httpx.codes.OK:
                raise AccessRefused(502, sentences.PROVIDER_AWAY)
            known["_keys"] = KeySet.import_key_set({"keys": answer["keys"]})
        keys: KeySet = known["_keys"]
        return keys

    async def _discovered(self) -> dict[str, Any]:
        """What the provider publishes of itself; as it was read last where it is away now."""
        async with self._lock:
            if self._known and self._clock() < self._known_at_ms + KNOWN_MS:
                return self._known
            try:
                self._known = await self._discover()
                self._known_at_ms = self._clock()
            except AccessRefused:
                if not self._known:
                    raise
            return self._known

    async def _discover(self) -> dict[str, Any]:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        async with self._client() as client:
            status, known = await _answer(client, "GET", url)
        if status != httpx.codes.OK:
            _refuse(502, f"{url} answers {status}", sentences.PROVIDER_AWAY)
        if str(known.get("issuer")).rstrip("/") != self._issuer.rstrip("/"):
            _refuse(502, f"{url} speaks for {str(known.get('issuer'))[:200]!r}", sentences.PROVIDER_AWAY)
        try:
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _check_url(known[name])
            if "userinfo_endpoint" in known:
                _check_url(known["userinfo_endpoint"])
        except (KeyError, AttributeError, ValueError, SettingsError) as error:
            _refuse(502, f"{url} names no usable endpoint: {error}", sentences.PROVIDER_AWAY)
        return known

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._verify, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False,
            headers={"Accept": "application/json", "User-Agent": "deptbus"},
        )  # fmt: skip


async def _answer(client: httpx.AsyncClient, method: str, url: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer; ``AccessRefused`` where none comes, or one that is too long or no object."""
    body = bytearray()
    try:
        async with asyncio.timeout(TIMEOUT_S), client.stream(method, url, **more) as response:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    _refuse(502, f"{url} answers more than {ANSWER_BYTES_MAX} bytes", sentences.PROVIDER_AWAY)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        _refuse(502, f"{url}: {type(error).__name__} {error}", sentences.PROVIDER_AWAY)
    try:
        value = json.loads(bytes(body))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        if response.is_success:
            _refuse(502, f"{url} answers no JSON object", sentences.PROVIDER_AWAY)
        value = {}
    return response.status_code, value


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname))):
        raise SettingsError(
            f"The identity provider is reached by https, or on this machine (BUS_OIDC_ISSUER): {url!r}."
        )


def _refuse(status: int, why: str, sentence: sentences.Sentence = sentences.NOT_CONFIRMED) -> NoReturn:
    """Refuse, and tell the log why: the person cannot do anything about it, whoever operates the dashboard can."""
    _log.warning("a sign-on at the identity provider failed", why=why)
    raise AccessRefused(status, sentence)
