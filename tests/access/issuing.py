"""An issuer of tokens on loopback: discovery, keys that can be changed, and tokens of any kind."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "luthier"


class LoopbackIssuer:
    """Who issues tokens; `asked` counts how often its keys were asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.named = url
        self.asked = 0
        self.keys: dict[str, RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, kid: str) -> None:
        """Sign with another key from now on, and tell that one alone."""
        self.keys = {kid: generate_private_key(public_exponent=65537, key_size=2048)}

    def token(self, *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A token that opens the service, but for what is changed of it."""
        [(kid, private)] = self.keys.items()
        kid = claims.pop("kid", kid)
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "exp": int(time.time()) + 300,
            "roles": ["developer"],
        }
        left = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode(left, key or private, algorithm, headers={"kid": kid})

    def document(self, path: str) -> dict[str, Any]:
        """What it answers."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.named, "jwks_uri": f"{self.url}/keys"}
        self.asked += 1
        return {"keys": [_told(kid, key) for kid, key in self.keys.items()]}


@contextmanager
def issuing() -> Generator[LoopbackIssuer]:
    """An issuer while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.document(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = LoopbackIssuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def _told(kid: str, key: RSAPrivateKey) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return public | {"kid": kid, "use": "sig", "alg": "RS256"}
