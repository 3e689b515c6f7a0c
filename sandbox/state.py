"""What every endpoint works with: the database, the limits, the server key, and how a request is obeyed only once."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request
from sqlalchemy import Connection, bindparam, insert, select

from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from sandbox.database import AnyRow, Database, utc_now
from sandbox.kinds import Effect, Endpoint
from sandbox.problems import PlatformProblem
from sandbox.seeds import seed
from sandbox.settings import Settings
from sandbox.tables import AccountRow, Base, CallRow, ReplyRow, ServerStateRow

M = TypeVar("M", bound=Model)

_KEY_NAME = "hash-key"

# Built once: building a statement takes several times as long as running it.
_LOCK_ACCOUNT = select(*AccountRow.__table__.c).where(AccountRow.id == bindparam("account_id"))
_STORED_REPLY = select(ReplyRow.fingerprint, ReplyRow.answer).where(
    ReplyRow.endpoint == bindparam("endpoint"),
    ReplyRow.account_id == bindparam("account_id"),
    ReplyRow.key == bindparam("key"),
)
_KEEP_REPLY = insert(ReplyRow)
_RECORD_CALL = insert(CallRow)


class Sandbox:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db = Database(settings.database_url)
        self._key = b""

    def open(self) -> None:
        """Make the schema, seed it once, and learn the key that all processes on this database share."""
        with self.db.write() as tx:
            Base.metadata.create_all(tx)
            stored = tx.scalar(select(ServerStateRow.value).where(ServerStateRow.name == _KEY_NAME))
            if stored is None:
                stored = secrets.token_hex(32)
                tx.execute(insert(ServerStateRow).values(name=_KEY_NAME, value=stored))
                seed(tx)
        given = self.settings.secret_key
        self._key = given.get_secret_value().encode() if given else bytes.fromhex(stored)

    def close(self) -> None:
        self.db.close()

    @property
    def connection(self) -> Connection:
        return self.db.connection

    def write(self) -> AbstractContextManager[Connection]:
        return self.db.write()

    def keyed_hash(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), sha256).hexdigest()

    def first_reply(self, tx: Connection, endpoint: Endpoint, account_id: str, key: str, answer: type[M]) -> M | None:
        """What the request with this key was answered, if there was one."""
        row_id = {"endpoint": endpoint.value, "account_id": account_id, "key": key}
        stored = tx.execute(_STORED_REPLY, row_id).one_or_none()
        return answer.model_validate_json(stored.answer) if stored else None

    def once(
        self,
        tx: Connection,
        endpoint: Endpoint,
        account_id: str | None,
        key: str,
        request: Model | None,
        answer: type[M],
        work: Callable[[], tuple[M, Effect]],
    ) -> M:
        """Do the work, or answer what the first request with this key was answered.

        The caller holds a lock under which requests with this key come one after the other. A refusal rolls the
        transaction back and so leaves the key free.

        Raises:
            PlatformProblem: `IDEMPOTENCY_CONFLICT` when the key came with another request before.
        """
        # Keyed, because the request may hold a contact and the row outlives the account.
        fingerprint = self.keyed_hash("request", request.model_dump_json() if request else "")
        row_id = {"endpoint": endpoint.value, "account_id": account_id or "", "key": key}
        stored = tx.execute(_STORED_REPLY, row_id).one_or_none()
        if stored is None:
            done, effect = work()
            reply = {**row_id, "fingerprint": fingerprint, "answer": done.model_dump_json()}
            tx.execute(_KEEP_REPLY, reply)
        elif hmac.compare_digest(stored.fingerprint, fingerprint):
            done, effect = answer.model_validate_json(stored.answer), Effect.REPLAYED
        else:
            raise PlatformProblem(
                ErrorType.IDEMPOTENCY_CONFLICT,
                f"{endpoint}: this key came with another request before. Use a new key for a new request.",
            )
        record_call(tx, endpoint, account_id, key, effect)
        return done


def record_call(tx: Connection, endpoint: Endpoint, account_id: str | None, key: str, effect: Effect) -> None:
    call = {"at": utc_now(), "endpoint": endpoint, "account_id": account_id, "key": key, "effect": effect}
    tx.execute(_RECORD_CALL, call)


def account_unknown() -> PlatformProblem:
    return PlatformProblem(ErrorType.ACCOUNT_UNKNOWN, "No such account. Check the account id.")


def lock_account_if_any(tx: Connection, account_id: str) -> AnyRow | None:
    """The account, locked until the transaction ends: what changes an account happens one after the other."""
    return tx.execute(_LOCK_ACCOUNT, {"account_id": account_id}).one_or_none()


def lock_account(tx: Connection, account_id: str) -> AnyRow:
    """The account, locked until the transaction ends. Refuses one that is not there."""
    account = lock_account_if_any(tx, account_id)
    if account is None:
        raise account_unknown()
    return account


def lock_contacts(tx: Connection) -> None:
    """The lock of requests that name no account."""
    tx.execute(select(ServerStateRow.name).where(ServerStateRow.name == _KEY_NAME))


async def _sandbox_of(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


Platform = Annotated[Sandbox, Depends(_sandbox_of)]
AccountId = Annotated[OpaqueId, Path()]
