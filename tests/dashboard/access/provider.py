"""A small OpenID Connect provider: discovery, keys, authorize, token with PKCE, userinfo. It consents to anybody.

What a test sets makes it lie: it signs what it is told to, and the dashboard has to notice.
"""

import base64
import contextlib
import hashlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.dashboard.access.serving import running

CLIENT = "dashboard"
SECRET = "se cret:+"


class Provider:
    """See the module. ``claims`` are of whoever signs on next; ``lies`` overwrites claims of the ID token."""

    def __init__(self) -> None:
        self.url = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.signing: RSAKey | OctKey = self.key
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {"sub": "4711", "name": "李伟", "roles": ["officer"], "departments": ["health"]}
        self.lies: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.tells_issuer = False
        self.refused: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discover),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _discover(self, _: Request) -> Response:
        known = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        if self.userinfo is not None:
            known["userinfo_endpoint"] = f"{self.url}/userinfo"
        return JSONResponse(known | self.metadata)

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = uuid4().hex
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"]} | ({"iss": self.url} if self.tells_issuer else {})
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self._codes.pop(form["code"], None)
        refusal = self._wrong(request, form, asked)
        if refusal is not None or asked is None:
            self.refused.append(refusal or "")
            return JSONResponse({"error": refusal}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        header = {"alg": self.algorithm, "kid": self.signing.kid or self.key.kid}
        token = jwt.encode(header, claims | self.claims | self.lies, self.signing, algorithms=[self.algorithm])
        return JSONResponse({"access_token": "an-access-token", "token_type": "Bearer", "id_token": token})

    def _wrong(self, request: Request, form: dict[str, str], asked: dict[str, str] | None) -> str | None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        if kind != "Basic" or (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
            return "invalid_client"
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return "invalid_grant"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        return None if challenge.decode() == asked["code_challenge"] else "invalid_grant"

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer an-access-token"
        return JSONResponse(self.userinfo)


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """A provider that runs."""
    made = Provider()
    with running(made.app) as url:
        made.url = url
        yield made
