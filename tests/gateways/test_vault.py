import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from obstore.store import S3Store

from domain.actors import Actor, Via
from domain.deletion import Confirmation, NoticeAcceptance
from domain.errors import ErrorType
from domain.model import VaultRef
from gateways.errors import GatewayError
from gateways.ports import Vault
from gateways.vault import ObjectVault
from tests.gateways.conftest import BUCKET

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
OWNER = Actor(subject="owner-1", via=Via.CONSOLE)
RECORD = NoticeAcceptance(version="2026-01", sha256="a" * 64, accepted_at=NOW, by=OWNER)
OTHER = NoticeAcceptance(version="2026-02", sha256="b" * 64, accepted_at=NOW, by=OWNER)


def s3_vault(endpoint: str, prefix: str) -> ObjectVault:
    return ObjectVault(
        f"s3://{BUCKET}/{prefix}",
        config={
            "endpoint": endpoint,
            "region": "us-east-1",
            "access_key_id": "tests",
            "secret_access_key": "tests-only",
        },
        client_options={"allow_http": True},
    )


@pytest.fixture(params=["folder", "memory", "s3"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    match request.param:
        case "folder":
            return ObjectVault((tmp_path / "vault").as_uri())
        case "memory":
            return ObjectVault("memory:///")
        case _:
            return s3_vault(request.getfixturevalue("s3_endpoint"), uuid4().hex)


async def refused(call: Awaitable[object]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call
    return caught.value


async def test_evidence_is_read_back_as_it_was_written(vault: Vault) -> None:
    ref = await vault.put_evidence("requests/C1/notice.json", RECORD)
    assert ref == VaultRef(path="requests/C1/notice.json", sha256=RECORD.content_sha256())
    assert await vault.read(ref, NoticeAcceptance) == RECORD
    assert await vault.find(ref.path, NoticeAcceptance) == (RECORD, ref)


async def test_writing_the_same_evidence_again_gives_the_same_reference(vault: Vault) -> None:
    first = await vault.put_evidence("a/b.json", RECORD)
    assert await vault.put_evidence("a/b.json", RECORD) == first


async def test_other_evidence_under_the_same_path_is_refused_and_changes_nothing(vault: Vault) -> None:
    ref = await vault.put_evidence("a/b.json", RECORD)
    error = await refused(vault.put_evidence("a/b.json", OTHER))
    assert (error.type, error.retryable) == (ErrorType.VAULT_RECORD_CHANGED, False)
    assert await vault.read(ref, NoticeAcceptance) == RECORD


async def test_of_many_writers_at_once_exactly_one_wins(vault: Vault) -> None:
    async def put(number: int) -> VaultRef | GatewayError:
        record = RECORD.model_copy(update={"version": str(number)})
        try:
            return await vault.put_evidence("race.json", record)
        except GatewayError as error:
            return error

    results = await asyncio.gather(*(put(number) for number in range(5)))
    winners = [result for result in results if isinstance(result, VaultRef)]
    losers = [result.type for result in results if isinstance(result, GatewayError)]
    assert len(winners) == 1
    assert losers == [ErrorType.VAULT_RECORD_CHANGED] * 4
    assert (await vault.read(winners[0], NoticeAcceptance)).content_sha256() == winners[0].sha256


async def test_a_blob_is_create_only_too(vault: Vault) -> None:
    data = bytes(range(256)) * 5000
    ref = await vault.put_blob("letters/r1.pdf", data, "application/pdf")
    assert ref.sha256 == sha256(data).hexdigest()
    assert await vault.put_blob("letters/r1.pdf", data, "application/pdf") == ref
    assert await vault.read_blob(ref) == data
    error = await refused(vault.put_blob("letters/r1.pdf", b"other", "application/pdf"))
    assert error.type is ErrorType.VAULT_RECORD_CHANGED


async def test_a_look_tells_what_is_missing_or_of_another_size(vault: Vault) -> None:
    ref = await vault.put_blob("letters/r1.pdf", b"letter", "application/pdf")
    await vault.look(ref, 6)
    other_size = await refused(vault.look(ref, 7))
    assert (other_size.type, other_size.retryable) == (ErrorType.VAULT_RECORD_CHANGED, False)
    missing = await refused(vault.look(ref.model_copy(update={"path": "letters/r2.pdf"}), 6))
    assert (missing.type, missing.retryable) == (ErrorType.VAULT_RECORD_MISSING, False)


STRANGE_PATHS = [
    "",
    "/etc/a.json",
    "..",
    "../a.json",
    "a/../../a.json",
    "a/./b",
    "a//b",
    "a/",
    "a.json#1",
    "a\nb",
    "a\0b",
]


@pytest.mark.parametrize("path", STRANGE_PATHS)
async def test_nothing_is_written_or_removed_outside_the_vault_or_out_of_its_sight(vault: Vault, path: str) -> None:
    for call in (vault.put_evidence(path, RECORD), vault.discard(path), vault.discard(f"tickets/{path}")):
        with pytest.raises(ValueError, match="no path of the vault"):
            await call


async def test_a_discarded_form_is_gone_and_its_place_is_free(vault: Vault) -> None:
    ref = await vault.put_evidence("tickets/T1/r2.json", RECORD)
    letter = await vault.put_blob("tickets/T1/r2-letter.pdf", b"letter", "application/pdf")
    await vault.put_evidence("tickets/T1/r1.json", RECORD)
    for path in (ref.path, letter.path):
        await vault.discard(path)
        await vault.discard(path)
    assert list(await vault.list("tickets")) == ["tickets/T1/r1.json"]
    assert await vault.find(ref.path, NoticeAcceptance) is None
    assert (await vault.put_evidence(ref.path, OTHER)).sha256 == OTHER.content_sha256()


async def test_discarding_what_was_never_there_is_success(vault: Vault) -> None:
    await vault.discard("tickets/T1/r1.json")


@pytest.mark.parametrize("path", ["dossiers/A1/d.json", "ticketsX/r1.json", "tickets"])
async def test_evidence_is_never_discarded(vault: Vault, path: str) -> None:
    ref = await vault.put_evidence(path, RECORD)
    with pytest.raises(ValueError, match="never discarded"):
        await vault.discard(path)
    assert await vault.read(ref, NoticeAcceptance) == RECORD


async def test_a_record_that_does_not_match_its_hash_is_not_handed_out(vault: Vault) -> None:
    ref = await vault.put_evidence("a.json", RECORD)
    wrong = ref.model_copy(update={"sha256": "0" * 64})
    for read in (vault.read(wrong, NoticeAcceptance), vault.read_blob(wrong)):
        error = await refused(read)
        assert (error.type, error.retryable) == (ErrorType.VAULT_RECORD_CHANGED, False)


async def test_a_record_of_another_kind_is_refused(vault: Vault) -> None:
    ref = await vault.put_evidence("a.json", RECORD)
    assert (await refused(vault.read(ref, Confirmation))).type is ErrorType.VAULT_RECORD_CHANGED
    assert (await refused(vault.find("a.json", Confirmation))).type is ErrorType.VAULT_RECORD_CHANGED


async def test_a_missing_record_is_named_as_missing(vault: Vault) -> None:
    missing = VaultRef(path="no/such.json", sha256="0" * 64)
    for read in (vault.read(missing, NoticeAcceptance), vault.read_blob(missing)):
        error = await refused(read)
        assert (error.type, error.retryable) == (ErrorType.VAULT_RECORD_MISSING, False)
        assert "no/such.json" in str(error)
    assert await vault.find("no/such.json", NoticeAcceptance) is None


async def test_a_listing_is_sorted_and_keeps_to_whole_path_segments(vault: Vault) -> None:
    for path in ("t/T1/r2.json", "t/T1/r1.json", "t/T1/notes/n.json", "t/T10/r1.json"):
        await vault.put_evidence(path, RECORD)
    assert list(await vault.list("t/T1")) == ["t/T1/notes/n.json", "t/T1/r1.json", "t/T1/r2.json"]
    assert list(await vault.list("nothing/here")) == []


async def test_a_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "vault"
    vault = ObjectVault(folder.as_uri())
    await vault.put_evidence("a/b/c.json", RECORD)
    assert [_mode(folder / path) for path in (".", "a", "a/b")] == [0o700] * 3
    assert _mode(folder / "a/b/c.json") == 0o600
    assert (folder / "a/b/c.json").read_bytes() == RECORD.model_dump_json().encode()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was synced, in order, by the name it had then."""
    paths = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        fsync(descriptor)
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", record)
    return paths


async def test_a_record_is_durable_when_the_vault_answers(tmp_path: Path, synced: list[Path]) -> None:
    folder = tmp_path / "made" / "vault"
    vault = ObjectVault(folder.as_uri())
    assert synced == [folder.parent, tmp_path]
    synced.clear()
    await vault.put_evidence("a/b/c.json", RECORD)
    # The content before it has its name: a power failure must not leave an empty record that can never be written.
    draft, *entries = synced
    assert (draft.parent, draft.name.split("#")[0]) == (folder / "a/b", "c.json")
    assert entries == [folder / "a/b/c.json", folder / "a/b", folder / "a", folder]


async def test_what_was_there_already_is_made_durable_before_it_counts(tmp_path: Path, synced: list[Path]) -> None:
    vault = ObjectVault(tmp_path.as_uri())
    await vault.put_evidence("a/b.json", RECORD)
    entries = [tmp_path / "a/b.json", tmp_path / "a", tmp_path]
    synced.clear()
    await vault.put_evidence("a/b.json", RECORD)
    assert synced[-3:] == entries
    synced.clear()
    await vault.find("a/b.json", NoticeAcceptance)
    assert synced == entries


async def test_a_discarded_form_does_not_come_back_after_a_power_failure(tmp_path: Path, synced: list[Path]) -> None:
    vault = ObjectVault(tmp_path.as_uri())
    await vault.put_evidence("tickets/T1/r1.json", RECORD)
    for _ in range(2):
        synced.clear()
        await vault.discard("tickets/T1/r1.json")
        assert synced == [tmp_path / "tickets/T1"]


@pytest.mark.parametrize("second", [RECORD, OTHER])
async def test_of_two_writers_with_their_drafts_ready_one_wins_and_the_other_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: NoticeAcceptance
) -> None:
    both_ready = threading.Barrier(2, timeout=30)
    publish = Path.hardlink_to

    def together(self: Path, target: Path) -> None:
        both_ready.wait()
        publish(self, target)

    monkeypatch.setattr(Path, "hardlink_to", together)
    vaults = [ObjectVault(tmp_path.as_uri()) for _ in range(2)]
    puts = [vault.put_evidence("a/b.json", record) for vault, record in zip(vaults, (RECORD, second), strict=True)]
    results = await asyncio.gather(*puts, return_exceptions=True)
    won = [result for result in results if isinstance(result, VaultRef)]
    lost = [result.type for result in results if isinstance(result, GatewayError)]
    assert (len(won), lost) == ((2, []) if second == RECORD else (1, [ErrorType.VAULT_RECORD_CHANGED]))
    assert (await vaults[0].read(won[0], NoticeAcceptance)).content_sha256() == won[0].sha256
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]


def _die_while_writing(folder: Path, at_sync: int) -> None:
    """Have another process killed as it writes `RECORD` to `a/b.json`, at its nth sync."""
    program = f"""
import asyncio, os, signal
from gateways.vault import ObjectVault
vault = ObjectVault({folder.as_uri()!r})
fsync, syncs = os.fsync, []
def die(descriptor):
    syncs.append(descriptor)
    if len(syncs) == {at_sync}:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)
os.fsync = die
asyncio.run(vault.put_blob("a/b.json", {RECORD.model_dump_json().encode()!r}, "application/json"))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL


async def test_a_writer_that_died_before_publication_leaves_nothing_to_be_seen(tmp_path: Path) -> None:
    await asyncio.to_thread(_die_while_writing, tmp_path, 1)
    [draft] = (tmp_path / "a").iterdir()
    assert (draft.name.split("#")[0], _mode(draft)) == ("b.json", 0o600)
    vault = ObjectVault(tmp_path.as_uri())
    assert list(await vault.list("a")) == []
    assert await vault.find("a/b.json", NoticeAcceptance) is None
    ref = await vault.put_evidence("a/b.json", OTHER)
    assert list(await vault.list("a")) == ["a/b.json"]
    assert await vault.find("a/b.json", NoticeAcceptance) == (OTHER, ref)


async def test_a_writer_that_died_after_publication_is_followed_up(tmp_path: Path, synced: list[Path]) -> None:
    await asyncio.to_thread(_die_while_writing, tmp_path, 2)
    vault = ObjectVault(tmp_path.as_uri())
    assert (await refused(vault.put_evidence("a/b.json", OTHER))).type is ErrorType.VAULT_RECORD_CHANGED
    synced.clear()
    ref = await vault.put_evidence("a/b.json", RECORD)
    assert synced[-3:] == [tmp_path / "a/b.json", tmp_path / "a", tmp_path]
    assert await vault.read(ref, NoticeAcceptance) == RECORD


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("at_sync", [1, 2, 3, 4])
async def test_a_disk_that_fails_at_any_moment_is_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, at_sync: int
) -> None:
    vault = ObjectVault(tmp_path.as_uri())
    fsync, syncs = os.fsync, []

    def fail(descriptor: int) -> None:
        syncs.append(descriptor)
        if len(syncs) == at_sync:
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    error = await refused(vault.put_evidence("a/b.json", RECORD))
    assert (error.type, error.retryable) == (ErrorType.VAULT_UNAVAILABLE, True)
    ref = await vault.put_evidence("a/b.json", RECORD)
    assert await vault.read(ref, NoticeAcceptance) == RECORD
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]


async def test_a_vault_whose_folder_went_away_is_not_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    vault = ObjectVault(folder.as_uri())
    folder.rmdir()
    assert (await refused(vault.put_evidence("a/b.json", RECORD))).type is ErrorType.VAULT_UNAVAILABLE
    assert not folder.exists()


async def test_a_folder_with_blanks_and_chinese_in_its_name_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "证据 库"
    ref = await ObjectVault(folder.as_uri()).put_evidence("a.json", RECORD)
    assert (folder / "a.json").exists()
    assert await ObjectVault(folder.as_uri()).read(ref, NoticeAcceptance) == RECORD


async def test_a_record_that_somebody_edited_in_the_folder_is_noticed(tmp_path: Path) -> None:
    vault = ObjectVault(tmp_path.as_uri())
    ref = await vault.put_evidence("a.json", RECORD)
    (tmp_path / "a.json").write_bytes(OTHER.model_dump_json().encode())
    assert (await refused(vault.read(ref, NoticeAcceptance))).type is ErrorType.VAULT_RECORD_CHANGED


async def test_a_folder_that_cannot_be_written_is_a_vault_out_of_order(tmp_path: Path) -> None:
    vault = ObjectVault(tmp_path.as_uri())
    (tmp_path / "a").write_text("a file where a folder is needed")
    error = await refused(vault.put_evidence("a/b.json", RECORD))
    assert (error.type, error.retryable) == (ErrorType.VAULT_UNAVAILABLE, True)


async def test_an_object_store_that_does_not_answer_is_worth_another_try(unused_tcp_port: int) -> None:
    vault = s3_vault(f"http://127.0.0.1:{unused_tcp_port}", "x")
    ref = VaultRef(path="a.json", sha256="0" * 64)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: vault.put_evidence("a.json", RECORD),
        lambda: vault.read(ref, NoticeAcceptance),
        lambda: vault.find("a.json", NoticeAcceptance),
        lambda: vault.list("a"),
        lambda: vault.discard("tickets/a.json"),
    ]
    for call in calls:
        error = await refused(call())
        assert (error.type, error.retryable) == (ErrorType.VAULT_UNAVAILABLE, True)
        assert str(unused_tcp_port) not in str(error)
        assert error.__suppress_context__


async def test_wrong_credentials_are_a_vault_out_of_order_and_not_a_missing_record(s3_endpoint: str) -> None:
    vault = ObjectVault(
        f"s3://{BUCKET}",
        config={
            "endpoint": s3_endpoint,
            "region": "us-east-1",
            "access_key_id": "tests",
            "secret_access_key": "not-this-one",
        },
        client_options={"allow_http": True},
    )
    assert (await refused(vault.find("ready", NoticeAcceptance))).type is ErrorType.VAULT_UNAVAILABLE
    assert (await refused(vault.put_evidence("a.json", RECORD))).type is ErrorType.VAULT_UNAVAILABLE


async def test_an_object_store_takes_its_settings_from_the_environment(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = uuid4().hex
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests-only")
    ref = await ObjectVault(f"s3://{BUCKET}/{prefix}").put_evidence("a.json", RECORD)
    assert await s3_vault(s3_endpoint, prefix).read(ref, NoticeAcceptance) == RECORD


async def test_an_object_store_keeps_the_media_type(s3_endpoint: str) -> None:
    prefix = uuid4().hex
    await s3_vault(s3_endpoint, prefix).put_blob("letter.png", b"picture", "image/png")
    store = S3Store(
        BUCKET,
        endpoint=s3_endpoint,
        region="us-east-1",
        access_key_id="tests",
        secret_access_key="tests-only",
        client_options={"allow_http": True},
    )
    assert (await store.get_async(f"{prefix}/letter.png")).attributes["Content-Type"] == "image/png"
