"""What every operation works with: the database, the limits, the faults, and how a request is obeyed only once."""

import hmac
import sqlite3
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from fastapi import Path

from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from gateways.contract import PhaseReceipt
from simulator import seeds
from simulator.database import Database, M, utc_now
from simulator.faults import Faults
from simulator.kinds import Effect, Endpoint
from simulator.problems import PlatformProblem
from simulator.settings import Settings


class Simulator:
    """The pretend platform. Raises `Unusable` when its database is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.arrived: Counter[int] = Counter()
        """Requests by the second in which they came, whatever became of them."""
        self.db = Database(settings.database_url)
        if not self.db.value("SELECT count(*) FROM accounts"):
            with self.db.transaction():
                seeds.insert_accounts(self.db, seeds.SEEDS)
        self._key = str(self.db.value("SELECT secret FROM server")).encode()

    def keyed_hash(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), sha256).hexdigest()

    def account(self, account_id: str) -> sqlite3.Row:
        """Everything that stands in its own row. Raises `PlatformProblem`: there is no such account."""
        row = self.db.row("SELECT * FROM accounts WHERE id = ?", account_id)
        if row is None:
            raise PlatformProblem(ErrorType.ACCOUNT_UNKNOWN, "No such account. Check the account id.")
        return row

    def reply(self, endpoint: str, account_id: str, key: str) -> sqlite3.Row | None:
        """What the first request with this key was answered."""
        first = "SELECT fingerprint, answer FROM replies WHERE endpoint = ? AND account_id = ? AND key = ?"
        return self.db.row(first, endpoint, account_id, key)

    def once(
        self,
        endpoint: Endpoint,
        account_id: str,
        key: str,
        request: Model | None,
        answer: type[M],
        work: Callable[[], M],
    ) -> M:
        """Do the work, or answer what the first request with this key was answered. A refusal leaves the key free.

        Raises:
            PlatformProblem: `IDEMPOTENCY_CONFLICT` when the key came with another request before.
        """
        # Keyed, because the request may hold a contact and the row outlives the account.
        fingerprint = self.keyed_hash("request", request.model_dump_json() if request else "")
        stored = self.reply(endpoint, account_id, key)
        if stored is None:
            done = work()
            gone = isinstance(done, PhaseReceipt) and done.already_gone
            effect = Effect.ALREADY_GONE if gone else Effect.APPLIED
            reply = {"endpoint": endpoint, "account_id": account_id, "key": key, "fingerprint": fingerprint}
            self.db.insert("replies", {**reply, "answer": done.model_dump_json()})
        elif stored["fingerprint"] == fingerprint:
            done, effect = answer.model_validate_json(stored["answer"]), Effect.REPLAYED
        else:
            raise PlatformProblem(
                ErrorType.IDEMPOTENCY_CONFLICT,
                f"{endpoint}: this key came with another request before. Use a new key for a new request.",
            )
        self.record(endpoint, account_id or None, key, effect)
        return done

    def record(self, endpoint: Endpoint, account_id: str | None, key: str, effect: Effect) -> None:
        """Remember a request that was obeyed."""
        call = {"at": utc_now(), "endpoint": endpoint, "account_id": account_id, "key": key, "effect": effect}
        self.db.insert("calls", call)


AccountId = Annotated[OpaqueId, Path()]
