"""An issuer of service tokens, as a cloud has one: a key pair, and the file with its public half."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from console.auth.roles import Role
from console.settings import ConsoleSettings

NAME = "https://tokens.example.com"


class Issuer:
    def __init__(self, folder: Path) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.keys = folder / "keys.json"
        self.keys.write_text(json.dumps(KeySet([self._key]).as_dict(private=False)))

    def token(self, role: Role, subject: str) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": NAME,
            "aud": ConsoleSettings.model_fields["token_audience"].default,
            "sub": subject,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=50)).timestamp()),
            "scope": f"cancellation:{role}",
        }
        return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self._key)

    def settings(self) -> ConsoleSettings:
        return ConsoleSettings(token_issuer=NAME, token_keys=self.keys)
