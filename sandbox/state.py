"""What every endpoint works with: the database, the limits, the server key, and how a request is obeyed only once."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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


class Sandbox:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db = Database(settings.database_url)
        self._key = b""

    async def open(self) -> None:
        """Make the schema, seed it once, and learn the key that all processes on this database share."""
        async with self.db.write() as tx:
            await self.db.lock_for_setup(tx)
            await tx.run_sync(Base.metadata.create_all)
            stored = await tx.scalar(select(ServerStateRow.value).where(ServerStateRow.name == _KEY_NAME))
            if stored is None:
                stored = secrets.token_hex(32)
                await tx.execute(insert(ServerStateRow).values(name=_KEY_NAME, value=stored))
                await seed(tx)
        given = self.settings.secret_key
        self._key = given.get_secret_value().encode() if given else bytes.fromhex(stored)

    async def close(self) -> None:
        await self.db.close()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.db.read()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.db.write()

    def keyed_hash(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), sha256).hexdigest()

    async def once(
        self,
        tx: AsyncConnection,
        endpoint: Endpoint,
        account_id: str | None,
        key: str,
        request: Model | None,
        answer: type[M],
        work: Callable[[], Awaitable[tuple[M, Effect]]],
    ) -> M:
        """Do the work, or answer what the first request with this key was answered.

        A refusal rolls the transaction back and so leaves the key free.

        Raises:
            PlatformProblem: `IDEMPOTENCY_CONFLICT` when the key came with another request before.
        """
        # Keyed, because the request may hold a contact and the row outlives the account.
        fingerprint = self.keyed_hash("request", request.model_dump_json() if request else "")
        row_id = {"endpoint": endpoint.value, "account_id": account_id or "", "key": key}
        first = await tx.execute(self.db.insert_if_absent(ReplyRow, **row_id, fingerprint=fingerprint, answer=""))
        if first.one_or_none() is None:
            stored = await self._stored_reply(tx, row_id)
            if not hmac.compare_digest(stored.fingerprint, fingerprint):
                raise PlatformProblem(
                    ErrorType.IDEMPOTENCY_CONFLICT,
                    f"{endpoint}: this key came with another request before. Use a new key for a new request.",
                )
            await record_call(tx, endpoint, account_id, key, Effect.REPLAYED)
            return answer.model_validate_json(stored.answer)
        done, effect = await work()
        await tx.execute(update(ReplyRow).filter_by(**row_id).values(answer=done.model_dump_json()))
        await record_call(tx, endpoint, account_id, key, effect)
        return done

    @staticmethod
    async def _stored_reply(tx: AsyncConnection, row_id: dict[str, str]) -> AnyRow:
        return (await tx.execute(select(ReplyRow.fingerprint, ReplyRow.answer).filter_by(**row_id))).one()


async def record_call(
    tx: AsyncConnection, endpoint: Endpoint, account_id: str | None, key: str, effect: Effect
) -> None:
    await tx.execute(
        insert(CallRow).values(at=utc_now(), endpoint=endpoint, account_id=account_id, key=key, effect=effect)
    )


def account_unknown() -> PlatformProblem:
    return PlatformProblem(ErrorType.ACCOUNT_UNKNOWN, "No such account. Check the account id.")


async def lock_account(tx: AsyncConnection, account_id: str) -> AnyRow:
    """The account, locked until the transaction ends: what changes an account happens one after the other."""
    rows = await tx.execute(select(*AccountRow.__table__.c).where(AccountRow.id == account_id).with_for_update())
    account = rows.one_or_none()
    if account is None:
        raise account_unknown()
    return account


async def _sandbox_of(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


Platform = Annotated[Sandbox, Depends(_sandbox_of)]
AccountId = Annotated[OpaqueId, Path()]
