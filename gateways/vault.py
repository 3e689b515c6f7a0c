"""The vault on any object store that `obstore` opens: a local folder, S3 and its like by URL, memory in tests."""

import asyncio
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url
from pydantic import ValidationError

from domain.errors import ErrorType
from domain.model import Model, VaultRef
from gateways.errors import GatewayError
from gateways.ports import M

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PATH: Final = re.compile(rf"{_NAME}(/{_NAME})*")
"""Opaque ids and slashes: nothing that leaves the vault (`..`, `/etc`), nothing that a folder would hide (`#1`)."""

_DISCARDABLE: Final = "tickets/"


class ObjectVault:
    """`gateways.ports.Vault`. Every record is create-only: the same bytes again are success, other bytes an error.

    What is written, or found, outlasts a power failure from the answer on. A path that is not made of opaque ids is a
    `ValueError`: nothing is written or removed there.

    `url` is `file:///folder` (made when missing, closed to other users), `s3://bucket/prefix` or `memory:///`. An S3
    store takes its settings from `AWS_*` in the environment (`AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, ...), or from
    `config` and `client_options`; the latter, given at all, hide `AWS_ALLOW_HTTP`. Nothing is retried here.
    """

    def __init__(
        self, url: str, *, config: "S3Config | None" = None, client_options: "ClientConfig | None" = None
    ) -> None:
        parts = urlsplit(url)
        self._folder = _Folder(Path(url2pathname(parts.path))) if parts.scheme == "file" else None
        self._store = from_url(url, config=config, client_options=client_options, retry_config={"max_retries": 0})

    async def put_evidence(self, path: str, record: Model) -> VaultRef:
        return await self.put_blob(path, record.model_dump_json().encode(), "application/json")

    async def put_blob(self, path: str, data: bytes, media_type: str) -> VaultRef:
        _check(path)
        with _trouble_with(path):
            if self._folder is not None:
                kept = await asyncio.to_thread(self._folder.keep, path, data)
            else:
                kept = await self._keep(path, data, media_type)
        if not kept:
            raise _changed(path, "holds something else already; it was left as it is")
        return VaultRef(path=path, sha256=sha256(data).hexdigest())

    async def read(self, ref: VaultRef, model: type[M]) -> M:
        return _parse(model, ref.path, await self.read_blob(ref))

    async def find(self, path: str, model: type[M]) -> tuple[M, VaultRef] | None:
        data = await self._get(path)
        if data is None:
            return None
        if self._folder is not None:
            # Who finds a record does not write it again, and its writer may have died before it was durable.
            _check(path)
            with _trouble_with(path):
                await asyncio.to_thread(self._folder.sync, path)
        return _parse(model, path, data), VaultRef(path=path, sha256=sha256(data).hexdigest())

    async def read_blob(self, ref: VaultRef) -> bytes:
        data = await self._get(ref.path)
        if data is None:
            raise _missing(ref.path)
        if sha256(data).hexdigest() != ref.sha256:
            raise _changed(ref.path, "does not match its hash")
        return data

    async def look(self, ref: VaultRef, size_bytes: int) -> None:
        with _trouble_with(ref.path):
            try:
                found = await self._store.head_async(ref.path)
            except FileNotFoundError:
                raise _missing(ref.path) from None
        if found["size"] != size_bytes:
            raise _changed(ref.path, f"has {found['size']} bytes, not {size_bytes}")

    async def list(self, prefix: str) -> Sequence[str]:
        """Paths below a prefix, sorted. A prefix matches whole path segments."""
        with _trouble_with(prefix):
            return sorted([item["path"] async for batch in self._store.list(prefix) for item in batch])

    async def discard(self, path: str) -> None:
        _check(path)
        if not path.startswith(_DISCARDABLE):
            raise ValueError(f"{path} is evidence, which is never discarded; only {_DISCARDABLE} may be.")
        with _trouble_with(path):
            if self._folder is not None:
                await asyncio.to_thread(self._folder.remove, path)
            else:
                with suppress(FileNotFoundError):
                    await self._store.delete_async(path)

    async def _keep(self, path: str, data: bytes, media_type: str) -> bool:
        """Whether the object store holds exactly these bytes now."""
        try:
            await self._store.put_async(path, data, mode="create", attributes={"Content-Type": media_type})
        except AlreadyExistsError:
            return await self._get(path) == data
        return True

    async def _get(self, path: str) -> bytes | None:
        with _trouble_with(path):
            try:
                found = await self._store.get_async(path)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None


class _Folder:
    """Writes below a local folder, and answers when a power failure can no longer undo it. Blocking.

    obstore reads there well enough; writing, it syncs nothing (0.12), and makes files that anybody may read.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        made = [folder for folder in (root, *root.parents) if not folder.exists()]
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in made:
            _sync(folder.parent)

    def keep(self, path: str, data: bytes) -> bool:
        """Whether the record holds exactly these bytes now."""
        file = self._root / path
        # Never the root: when it went away, the disk did, and what is written in its place is lost to the vault.
        for folder in reversed(self._folders_of(path)[:-1]):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not _publish(file, data) and file.read_bytes() != data:
            return False
        self.sync(path)
        return True

    def sync(self, path: str) -> None:
        """Make a record durable, whoever wrote it.

        Every folder each time: one that is there already may have been made a moment ago, by a writer that is not yet
        as far as syncing it, or never got there.
        """
        for entry in (self._root / path, *self._folders_of(path)):
            _sync(entry)

    def remove(self, path: str) -> None:
        file = self._root / path
        file.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            _sync(file.parent)

    def _folders_of(self, path: str) -> Sequence[Path]:
        """The folders a record lies in, from its own up to the root."""
        return (self._root / path).parents[: path.count("/") + 1]


def _publish(file: Path, data: bytes) -> bool:
    """Give a file its name once its content is durable. False when the name is taken."""
    # `#` and digits: a name that obstore gives to what is not finished, and never lists. A crash may leave it behind.
    draft = file.with_name(f"{file.name}#{secrets.randbits(64)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        file.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _sync(path: Path) -> None:
    entry = os.open(path, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _check(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path of the vault: it must be opaque ids with slashes between them.")


def _parse(model: type[M], path: str, data: bytes) -> M:
    try:
        return model.model_validate_json(data)
    except ValidationError:
        raise _changed(path, f"is not a {model.__name__} that this version can read") from None


def _missing(path: str) -> GatewayError:
    return GatewayError(
        ErrorType.VAULT_RECORD_MISSING,
        f"The vault has no record {path}; check that this process uses the vault it was written to.",
        retryable=False,
    )


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
