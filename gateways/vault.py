"""The vault on any object store that `obstore` opens: a local folder, S3 and its like by URL, memory in tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url
from pydantic import ValidationError

from domain.errors import ErrorType
from domain.model import Model, VaultRef
from gateways.errors import GatewayError
from gateways.ports import M

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, S3Config


class ObjectVault:
    """`gateways.ports.Vault`. Every record is create-only: the same bytes again are success, other bytes an error.

    `url` is `file:///folder` (made when missing, closed to other users), `s3://bucket/prefix` or `memory:///`. An S3
    store takes its settings from `AWS_*` in the environment (`AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, ...), or from
    `config` and `client_options`; the latter, given at all, hide `AWS_ALLOW_HTTP`. Nothing is retried here.
    """

    def __init__(
        self, url: str, *, config: "S3Config | None" = None, client_options: "ClientConfig | None" = None
    ) -> None:
        self._store = _open(url, config, client_options)

    async def put_evidence(self, path: str, record: Model) -> VaultRef:
        return await self.put_blob(path, record.model_dump_json().encode(), "application/json")

    async def put_blob(self, path: str, data: bytes, media_type: str) -> VaultRef:
        # A folder has nowhere to keep a media type, and obstore refuses to pretend.
        attributes = None if isinstance(self._store, LocalStore) else {"Content-Type": media_type}
        with _trouble_with(path):
            try:
                await self._store.put_async(path, data, mode="create", attributes=attributes)
            except AlreadyExistsError:
                if await self._get(path) != data:
                    raise _changed(path, "holds something else already; it was left as it is") from None
        return VaultRef(path=path, sha256=sha256(data).hexdigest())

    async def read(self, ref: VaultRef, model: type[M]) -> M:
        return _parse(model, ref.path, await self.read_blob(ref))

    async def find(self, path: str, model: type[M]) -> tuple[M, VaultRef] | None:
        data = await self._get(path)
        if data is None:
            return None
        return _parse(model, path, data), VaultRef(path=path, sha256=sha256(data).hexdigest())

    async def read_blob(self, ref: VaultRef) -> bytes:
        data = await self._get(ref.path)
        if data is None:
            raise GatewayError(
                ErrorType.VAULT_RECORD_MISSING,
                f"The vault has no record {ref.path}; check that this process uses the vault it was written to.",
                retryable=False,
            )
        if sha256(data).hexdigest() != ref.sha256:
            raise _changed(ref.path, "does not match its hash")
        return data

    async def list(self, prefix: str) -> Sequence[str]:
        """Paths below a prefix, sorted. A prefix matches whole path segments."""
        with _trouble_with(prefix):
            return sorted([item["path"] async for batch in self._store.list(prefix) for item in batch])

    async def _get(self, path: str) -> bytes | None:
        with _trouble_with(path):
            try:
                found = await self._store.get_async(path)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None


def _open(url: str, config: "S3Config | None", client_options: "ClientConfig | None") -> "ObjectStore":
    parts = urlsplit(url)
    if parts.scheme == "file":
        # The folder's own mode is what keeps other users out: obstore writes files readable by all.
        Path(url2pathname(parts.path)).mkdir(mode=0o700, parents=True, exist_ok=True)
    return from_url(url, config=config, client_options=client_options, retry_config={"max_retries": 0})


def _parse(model: type[M], path: str, data: bytes) -> M:
    try:
        return model.model_validate_json(data)
    except ValidationError:
        raise _changed(path, f"is not a {model.__name__} that this version can read") from None


def _changed(path: str, what: str) -> GatewayError:
    return GatewayError(
        ErrorType.VAULT_RECORD_CHANGED,
        f"The vault's record {path} {what}. Evidence is never rewritten: find out who wrote it before going on.",
        retryable=False,
    )


@contextmanager
def _trouble_with(path: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # `from None`: the store's own text quotes addresses and request ids.
        raise GatewayError(
            ErrorType.VAULT_UNAVAILABLE,
            f"The vault could not be used for {path} ({type(error).__name__}); check its address, credentials and "
            "free space. The same call may go through later.",
            retryable=True,
        ) from None
