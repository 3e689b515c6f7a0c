"""A letter that is kept until it is handed in: whose it is, for how long, and that one is all there ever is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import ErrorType, Refusal
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from service.letters.drafts import KEPT_FOR, LetterDrafts
from tests.service.letters.making import LETTERS, pdf

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
ACCOUNT, MINE, THEIRS = "a-1", "a" * 64, "b" * 64


@pytest.fixture
def drafts(vault: ObjectVault) -> LetterDrafts:
    return LetterDrafts(vault, LETTERS)


async def test_what_was_shown_is_what_is_handed_in(drafts: LetterDrafts) -> None:
    sent = await drafts.keep(ACCOUNT, MINE, pdf(2), NOW)
    assert not sent.seen
    found = await drafts.find(ACCOUNT, MINE, sent.draft_id, NOW)
    assert found is not None
    assert found.seen
    assert found.letter == sent.letter
    async with drafts.opened(found) as (original, rendered), LETTERS.rendered(pdf(2), "another") as (_, again):
        assert original == pdf(2)
        assert rendered == again


async def test_a_draft_is_its_holders_on_its_account_for_a_day(drafts: LetterDrafts) -> None:
    sent = await drafts.keep(ACCOUNT, MINE, pdf(), NOW)
    assert await drafts.find(ACCOUNT, MINE, sent.draft_id, NOW + KEPT_FOR) is not None
    assert await drafts.find(ACCOUNT, MINE, sent.draft_id, NOW + KEPT_FOR + timedelta(seconds=1)) is None
    assert await drafts.find(ACCOUNT, THEIRS, sent.draft_id, NOW) is None
    assert await drafts.find("a-2", MINE, sent.draft_id, NOW) is None
    assert await drafts.find(ACCOUNT, MINE, "no-such-draft", NOW) is None


async def test_an_account_has_one_draft_and_others_keep_theirs(drafts: LetterDrafts, vault: ObjectVault) -> None:
    other = await drafts.keep("a-2", MINE, pdf(), NOW)
    for pages in (1, 2):
        await drafts.keep(ACCOUNT, MINE, pdf(pages), NOW)
    latest = await drafts.keep(ACCOUNT, MINE, pdf(3), NOW)
    paths = await vault.list(f"tickets/drafts/{ACCOUNT}")
    assert [path.rpartition("/")[2].partition(latest.draft_id)[2] for path in paths] == [
        "-letter.pdf",
        "-original.pdf",
        ".json",
    ]
    assert await drafts.find("a-2", MINE, other.draft_id, NOW) is not None


async def test_what_was_never_handed_in_is_discarded_after_a_day(drafts: LetterDrafts, vault: ObjectVault) -> None:
    old = await drafts.keep(ACCOUNT, MINE, pdf(), NOW)
    # Left by a process that died before it wrote the record.
    await vault.discard(f"tickets/drafts/{ACCOUNT}/{old.draft_id}.json")
    await drafts.keep("a-2", MINE, pdf(), NOW)
    new = await drafts.keep("a-3", MINE, pdf(), NOW + timedelta(hours=1))
    await drafts.discard_old(NOW + KEPT_FOR)
    assert len(await vault.list("tickets/drafts")) == 8
    await drafts.discard_old(NOW + KEPT_FOR + timedelta(seconds=1))
    assert {path.split("/")[2] for path in await vault.list("tickets/drafts")} == {"a-3"}
    assert await drafts.find("a-3", MINE, new.draft_id, NOW + KEPT_FOR) is not None


async def test_a_file_that_is_refused_takes_nothing_away(drafts: LetterDrafts) -> None:
    sent = await drafts.keep(ACCOUNT, MINE, pdf(), NOW)
    with pytest.raises(Refusal) as refused:
        await drafts.keep(ACCOUNT, MINE, b"hello", NOW)
    assert refused.value.type is ErrorType.LETTER_REFUSED
    assert await drafts.find(ACCOUNT, MINE, sent.draft_id, NOW) is not None


async def test_a_draft_that_somebody_changed_is_not_handed_in(drafts: LetterDrafts, folder: Path) -> None:
    sent = await drafts.keep(ACCOUNT, MINE, pdf(), NOW)
    (folder / sent.letter.path).write_bytes(pdf(2))
    with pytest.raises(GatewayError) as failed:
        async with drafts.opened(sent):
            pass
    assert failed.value.type is ErrorType.VAULT_RECORD_CHANGED
