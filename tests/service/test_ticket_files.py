import asyncio
import re
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.accounts import RealNameType
from domain.actors import Actor, Via
from domain.errors import ErrorType, Refusal
from domain.letters import LetterSignature, LetterType, SignatureCheck
from domain.model import VaultRef
from domain.tickets import BalanceChoice, BalanceWish, MissingPart, Statement, TicketNeeds, TicketRef
from gateways.vault import ObjectVault
from service.letters.problems import LetterProblem
from service.ticket_files import MAX_NOTE_CHARACTERS, TicketChanges, TicketFiles, TicketSubmission
from tests.service.letters.making import LETTERS, SEAL, pdf, pdf_with, scan

# 02:30 of the next day in Shanghai.
NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
STATEMENT = Statement(notice_version="2026-01", notice_sha256="a" * 64)

OWNER = Actor(subject="owner-1", via=Via.CONSOLE)
PERSONAL = TicketNeeds(statement=True, letter=False)
CORPORATE = TicketNeeds(statement=False, letter=True)
"""Of an enterprise that has accepted the notice before."""

INDIVIDUAL = TicketSubmission(
    account_id="a-1",
    real_name_type=RealNameType.INDIVIDUAL,
    contact_email="Zhang.San@Example.com",
    contact_phone="138 0013 8000",
    statement_accepted=True,
    notice_version=STATEMENT.notice_version,
    notice_sha256=STATEMENT.notice_sha256,
    report_digest="d" * 64,
    by=OWNER,
)
ENTERPRISE = INDIVIDUAL.model_copy(
    update={"real_name_type": RealNameType.ENTERPRISE, "statement_accepted": False},
)
CHANGES = TicketChanges(
    by=Actor(subject="owner-2", via=Via.API),
    notice_version=STATEMENT.notice_version,
    notice_sha256=STATEMENT.notice_sha256,
)


@pytest.fixture
def tickets(vault: ObjectVault) -> TicketFiles:
    return TicketFiles(vault, LETTERS)


def needs_of(draft: TicketSubmission) -> TicketNeeds:
    return CORPORATE if draft.real_name_type is RealNameType.ENTERPRISE else PERSONAL


def stored(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def refused(call: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await call
    assert "zhang" not in str(caught.value).lower()
    assert "138" not in str(caught.value)
    return caught.value


async def test_a_ticket_of_an_individual_is_filed_with_its_statement(tickets: TicketFiles, folder: Path) -> None:
    ref = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    assert re.fullmatch(r"T20261121-[A-Z2-9]{8}", ref.ticket_no)
    assert stored(folder) == [f"tickets/{ref.ticket_no}/r1.json"]
    form = await tickets.load(ref)
    assert form.content_sha256() == ref.sha256
    assert (form.revision, form.account_id, form.filed_at) == (1, "a-1", NOW)
    assert (form.filed_by, form.filed_via, form.report_digest) == ("owner-1", Via.CONSOLE, "d" * 64)
    assert (form.contact_email, form.contact_phone) == ("Zhang.San@example.com", "+8613800138000")
    assert (form.statement, form.letter, form.previous_sha256) == (STATEMENT, None, None)


@pytest.mark.parametrize(
    ("letter", "media_type", "name", "pages"),
    [
        (pdf(2), LetterType.PDF, "r1-original.pdf", 2),
        (scan("JPEG"), LetterType.JPEG, "r1-original.jpg", 1),
        (scan("TIFF"), LetterType.TIFF, "r1-original.tif", 1),
    ],
)
async def test_a_ticket_of_an_enterprise_is_filed_with_its_letter_cleaned_and_as_it_was_sent(
    letter: bytes,
    media_type: LetterType,
    name: str,
    pages: int,
    tickets: TicketFiles,
    vault: ObjectVault,
    folder: Path,
) -> None:
    ref = await tickets.file(ENTERPRISE, letter, needs=CORPORATE, now=NOW)
    assert names(folder, ref) == ["r1-letter.pdf", name, "r1.json"]
    form = await tickets.load(ref)
    assert form.statement is None
    assert form.letter is not None
    assert (form.letter.original.media_type, form.letter.original.size_bytes) == (media_type, len(letter))
    original = VaultRef(path=form.letter.original.path, sha256=form.letter.original.sha256)
    assert await vault.read_blob(original) == await tickets.read_original(form) == letter
    cleaned = await tickets.read_letter(form)
    assert cleaned.startswith(b"%PDF-")
    assert (form.letter.pages, form.letter.size_bytes) == (pages, len(cleaned))
    assert (await tickets.letter_page(form, pages)).startswith(b"\x89PNG")
    for beyond in (0, pages + 1):
        assert (await refused(tickets.letter_page(form, beyond))).type is ErrorType.NOT_FOUND


async def test_a_letter_that_carries_a_signature_says_so(tickets: TicketFiles) -> None:
    form = await tickets.load(await tickets.file(ENTERPRISE, pdf_with(SEAL), needs=CORPORATE, now=NOW))
    assert form.letter is not None
    assert form.letter.signature == LetterSignature(check=SignatureCheck.NOT_VERIFIED)


@pytest.mark.parametrize(
    ("draft", "missing"),
    [
        (INDIVIDUAL.model_copy(update={"contact_email": ""}), [MissingPart.CONTACT_EMAIL]),
        (INDIVIDUAL.model_copy(update={"contact_phone": ""}), [MissingPart.CONTACT_PHONE]),
        (INDIVIDUAL.model_copy(update={"statement_accepted": False}), [MissingPart.STATEMENT]),
        (
            INDIVIDUAL.model_copy(update={"statement_accepted": False, "real_name_type": RealNameType.NONE}),
            [MissingPart.STATEMENT],
        ),
        (ENTERPRISE, [MissingPart.STAMPED_LETTER]),
        (ENTERPRISE.model_copy(update={"statement_accepted": True}), [MissingPart.STAMPED_LETTER]),
        (
            ENTERPRISE.model_copy(update={"contact_email": "", "contact_phone": ""}),
            [MissingPart.CONTACT_EMAIL, MissingPart.CONTACT_PHONE, MissingPart.STAMPED_LETTER],
        ),
    ],
)
async def test_a_ticket_that_lacks_something_is_refused_with_all_that_it_lacks(
    draft: TicketSubmission, missing: list[MissingPart], tickets: TicketFiles, folder: Path
) -> None:
    refusal = await refused(tickets.file(draft, None, needs=needs_of(draft), now=NOW))
    assert (refusal.type, refusal.details) == (ErrorType.TICKET_INCOMPLETE, {"missing": missing})
    assert all(part in refusal.message for part in missing)
    assert stored(folder) == []


@pytest.mark.parametrize("email", ["zhang", "zhang@", "@example.com", "zhang@localhost", "张三@example.cn", "a b@c.cn"])
async def test_an_address_that_no_mail_server_takes_counts_as_missing(
    email: str, tickets: TicketFiles, folder: Path
) -> None:
    draft = INDIVIDUAL.model_copy(update={"contact_email": email})
    assert (await refused(tickets.file(draft, None, needs=needs_of(draft), now=NOW))).details == {
        "missing": [MissingPart.CONTACT_EMAIL]
    }
    assert stored(folder) == []


@pytest.mark.parametrize("phone", ["138", "phone", "+", "23800138000", "138001380001", "+999 1234567", "1" * 300])
async def test_a_number_that_nobody_can_call_counts_as_missing(phone: str, tickets: TicketFiles, folder: Path) -> None:
    draft = INDIVIDUAL.model_copy(update={"contact_phone": phone})
    assert (await refused(tickets.file(draft, None, needs=needs_of(draft), now=NOW))).details == {
        "missing": [MissingPart.CONTACT_PHONE]
    }
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13800138000", "+8613800138000"),
        ("+86-138-0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("010-12345678", "+861012345678"),
        ("+852 2123 4567", "+85221234567"),
    ],
)
async def test_a_number_is_kept_in_one_notation(given: str, kept: str, tickets: TicketFiles) -> None:
    draft = INDIVIDUAL.model_copy(update={"contact_phone": given})
    assert (await tickets.load(await tickets.file(draft, None, needs=needs_of(draft), now=NOW))).contact_phone == kept


async def test_an_address_with_a_chinese_domain_is_kept_in_its_ascii_form(tickets: TicketFiles) -> None:
    draft = INDIVIDUAL.model_copy(update={"contact_email": "owner@例子.中国"})
    form = await tickets.load(await tickets.file(draft, None, needs=needs_of(draft), now=NOW))
    assert form.contact_email == "owner@xn--fsqu00a.xn--fiqs8s"


@pytest.mark.parametrize("draft", [INDIVIDUAL, ENTERPRISE], ids=["individual", "enterprise"])
async def test_a_letter_that_is_refused_keeps_the_whole_ticket_out(
    draft: TicketSubmission, tickets: TicketFiles, folder: Path
) -> None:
    refusal = await refused(tickets.file(draft, b"%PDF-1.7 garbage", needs=needs_of(draft), now=NOW))
    assert (refusal.type, refusal.details) == (ErrorType.LETTER_REFUSED, {"because": LetterProblem.CANNOT_BE_RENDERED})
    assert stored(folder) == []


async def test_a_good_letter_is_not_stored_with_an_incomplete_ticket(tickets: TicketFiles, folder: Path) -> None:
    draft = ENTERPRISE.model_copy(update={"contact_phone": ""})
    assert (
        await refused(tickets.file(draft, pdf(), needs=needs_of(draft), now=NOW))
    ).type is ErrorType.TICKET_INCOMPLETE
    assert stored(folder) == []


async def test_a_moment_without_time_zone_is_not_taken(tickets: TicketFiles, folder: Path) -> None:
    with pytest.raises(ValidationError):
        await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW.replace(tzinfo=None))
    assert stored(folder) == []


async def test_revisions_are_chained_and_each_keeps_what_it_does_not_change(
    tickets: TicketFiles, vault: ObjectVault, folder: Path
) -> None:
    first = await tickets.file(ENTERPRISE, pdf(1), needs=CORPORATE, now=NOW)
    second = await tickets.supply(first, CHANGES, pdf(2), needs=CORPORATE, now=LATER)
    third = await tickets.supply(
        second,
        CHANGES.model_copy(update={"contact_phone": "13900139000"}),
        None,
        needs=CORPORATE,
        now=LATER + timedelta(hours=1),
    )
    assert [(ref.ticket_no, ref.revision) for ref in (first, second, third)] == [
        (first.ticket_no, number) for number in (1, 2, 3)
    ]
    forms = [await tickets.load(ref) for ref in (first, second, third)]
    assert [form.previous_sha256 for form in forms] == [None, first.sha256, second.sha256]
    assert [form.letter and form.letter.pages for form in forms] == [1, 2, 2]
    assert [form.contact_phone for form in forms] == ["+8613800138000", "+8613800138000", "+8613900139000"]
    assert {form.contact_email for form in forms} == {"Zhang.San@example.com"}
    assert [form.filed_by for form in forms] == ["owner-1", "owner-2", "owner-2"]
    assert [form.filed_via for form in forms] == [Via.CONSOLE, Via.API, Via.API]
    assert {form.report_digest for form in forms} == {"d" * 64}, "of the report that was shown at the first filing"
    assert forms[1].filed_at == LATER
    assert [Path(path).name for path in await vault.list(f"tickets/{first.ticket_no}")] == [
        "r1-letter.pdf",
        "r1-original.pdf",
        "r1.json",
        "r2-letter.pdf",
        "r2-original.pdf",
        "r2.json",
        "r3.json",
    ]


async def test_a_statement_can_be_made_with_a_later_revision_and_is_not_taken_back_by_silence(
    tickets: TicketFiles,
) -> None:
    first = await tickets.file(ENTERPRISE, pdf(), needs=CORPORATE, now=NOW)
    second = await tickets.supply(
        first, CHANGES.model_copy(update={"statement_accepted": True}), None, needs=CORPORATE, now=LATER
    )
    third = await tickets.supply(second, CHANGES, None, needs=CORPORATE, now=LATER)
    assert [(await tickets.load(ref)).statement for ref in (first, second, third)] == [None, STATEMENT, STATEMENT]


async def test_a_revision_that_never_reached_its_request_does_not_block_the_next(tickets: TicketFiles) -> None:
    first = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    lost = await tickets.supply(first, CHANGES, pdf(1), needs=PERSONAL, now=LATER)
    again = await tickets.supply(first, CHANGES, pdf(2), needs=PERSONAL, now=LATER)
    assert (lost.revision, again.revision) == (2, 3)
    assert (await tickets.load(again)).previous_sha256 == first.sha256


async def test_of_two_revisions_that_are_supplied_at_once_each_has_a_number_of_its_own(tickets: TicketFiles) -> None:
    first = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    later = (LATER + timedelta(milliseconds=n) for n in range(5))
    refs = await asyncio.gather(*(tickets.supply(first, CHANGES, pdf(), needs=PERSONAL, now=now) for now in later))
    assert sorted(ref.revision for ref in refs) == [2, 3, 4, 5, 6]


async def test_a_letter_left_over_by_a_crash_does_not_block_the_next_revision(
    tickets: TicketFiles, vault: ObjectVault
) -> None:
    first = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    await vault.put_blob(
        f"tickets/{first.ticket_no}/r2-letter.pdf", b"stored, then the process died", "application/pdf"
    )
    assert (await tickets.supply(first, CHANGES, pdf(), needs=PERSONAL, now=LATER)).revision == 3


@pytest.mark.parametrize(
    ("changes", "letter", "type"),
    [
        (CHANGES.model_copy(update={"contact_email": ""}), None, ErrorType.TICKET_INCOMPLETE),
        (CHANGES.model_copy(update={"contact_phone": "138"}), None, ErrorType.TICKET_INCOMPLETE),
        (CHANGES, scan("GIF"), ErrorType.LETTER_REFUSED),
    ],
)
async def test_a_revision_is_checked_like_a_first_filing(
    changes: TicketChanges, letter: bytes | None, type: ErrorType, tickets: TicketFiles, folder: Path
) -> None:
    first = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    before = stored(folder)
    assert (await refused(tickets.supply(first, changes, letter, needs=PERSONAL, now=LATER))).type is type
    assert stored(folder) == before


async def test_materials_for_a_revision_that_was_changed_or_never_filed_are_not_taken(
    tickets: TicketFiles, folder: Path
) -> None:
    first = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    for wrong, type in (
        (first.model_copy(update={"sha256": "0" * 64}), ErrorType.VAULT_RECORD_CHANGED),
        (first.model_copy(update={"revision": 9}), ErrorType.VAULT_RECORD_MISSING),
    ):
        with pytest.raises(Refusal) as caught:
            await tickets.supply(wrong, CHANGES, None, needs=PERSONAL, now=LATER)
        assert caught.value.type is type
    assert stored(folder) == [f"tickets/{first.ticket_no}/r1.json"]


# --- the money ---

MONEY = PERSONAL.model_copy(update={"balance_fen": 12_345})
GIVE_UP = BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=12_345)


@pytest.mark.parametrize("word", [None, GIVE_UP.model_copy(update={"amount_fen": 12_344})])
async def test_with_money_on_the_account_a_word_about_this_very_sum_is_needed(
    word: BalanceChoice | None, tickets: TicketFiles, folder: Path
) -> None:
    draft = INDIVIDUAL.model_copy(update={"balance": word})
    refusal = await refused(tickets.file(draft, None, needs=MONEY, now=NOW))
    assert (refusal.type, refusal.details) == (ErrorType.TICKET_INCOMPLETE, {"missing": [MissingPart.BALANCE_CHOICE]})
    assert stored(folder) == []


@pytest.mark.parametrize("wish", BalanceWish)
async def test_a_word_about_the_money_is_filed_and_not_taken_back_by_silence(
    wish: BalanceWish, tickets: TicketFiles
) -> None:
    word = BalanceChoice(wish=wish, amount_fen=12_345)
    first = await tickets.file(INDIVIDUAL.model_copy(update={"balance": word}), None, needs=MONEY, now=NOW)
    second = await tickets.supply(first, CHANGES, None, needs=MONEY, now=LATER)
    assert [(await tickets.load(ref)).balance for ref in (first, second)] == [word, word]


async def test_a_later_revision_may_say_another_word_and_must_when_the_sum_is_another(tickets: TicketFiles) -> None:
    first = await tickets.file(INDIVIDUAL.model_copy(update={"balance": GIVE_UP}), None, needs=MONEY, now=NOW)
    grown = MONEY.model_copy(update={"balance_fen": 20_000})
    refusal = await refused(tickets.supply(first, CHANGES, None, needs=grown, now=LATER))
    assert refusal.details == {"missing": [MissingPart.BALANCE_CHOICE]}
    word = BalanceChoice(wish=BalanceWish.RETURN, amount_fen=20_000)
    changes = CHANGES.model_copy(update={"balance": word})
    second = await tickets.supply(first, changes, None, needs=grown, now=LATER)
    assert (await tickets.load(second)).balance == word


async def test_an_enterprise_without_a_notice_accepted_files_letter_and_statement(
    tickets: TicketFiles, folder: Path
) -> None:
    both = TicketNeeds(statement=True, letter=True)
    refusal = await refused(tickets.file(ENTERPRISE, None, needs=both, now=NOW))
    assert refusal.details == {"missing": [MissingPart.STAMPED_LETTER, MissingPart.STATEMENT]}
    assert (await refused(tickets.file(ENTERPRISE, pdf(), needs=both, now=NOW))).details == {
        "missing": [MissingPart.STATEMENT]
    }
    assert stored(folder) == []
    draft = ENTERPRISE.model_copy(update={"statement_accepted": True})
    form = await tickets.load(await tickets.file(draft, pdf(), needs=both, now=NOW))
    assert form.statement == STATEMENT
    assert form.letter is not None


# --- taken back ---


def names(folder: Path, ref: TicketRef) -> list[str]:
    return [path.removeprefix(f"tickets/{ref.ticket_no}/") for path in stored(folder)]


async def test_a_form_is_discarded_with_its_letter(tickets: TicketFiles, folder: Path) -> None:
    ref = await tickets.file(ENTERPRISE, pdf(), needs=CORPORATE, now=NOW)
    await tickets.discard(ref)
    assert stored(folder) == []


async def test_a_form_without_a_letter_is_discarded(tickets: TicketFiles, folder: Path) -> None:
    await tickets.discard(await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW))
    assert stored(folder) == []


async def test_a_discarded_revision_leaves_the_letter_of_an_earlier_one(tickets: TicketFiles, folder: Path) -> None:
    first = await tickets.file(ENTERPRISE, pdf(), needs=CORPORATE, now=NOW)
    second = await tickets.supply(first, CHANGES, None, needs=CORPORATE, now=LATER)
    await tickets.discard(second)
    assert names(folder, first) == ["r1-letter.pdf", "r1-original.pdf", "r1.json"]
    third = await tickets.supply(first, CHANGES, pdf(2), needs=CORPORATE, now=LATER)
    await tickets.discard(third)
    assert names(folder, first) == ["r1-letter.pdf", "r1-original.pdf", "r1.json"]


async def test_a_discarded_revision_leaves_letters_whose_number_begins_with_its_own(
    tickets: TicketFiles, folder: Path
) -> None:
    """r1 and r10: a prefix is not enough to tell whose a letter is."""
    refs = [await tickets.file(ENTERPRISE, pdf(), needs=CORPORATE, now=NOW)]
    for number in range(2, 12):
        letter = pdf(2) if number >= 10 else None
        refs.append(await tickets.supply(refs[-1], CHANGES, letter, needs=CORPORATE, now=LATER))
    await tickets.discard(refs[0])
    left = names(folder, refs[0])
    assert "r1-letter.pdf" not in left
    assert {f"r{number}{what}" for number in (10, 11) for what in ("-letter.pdf", "-original.pdf", ".json")} <= {*left}
    assert "r2.json" in left


async def test_a_revision_that_was_changed_or_is_gone_is_not_discarded(tickets: TicketFiles, folder: Path) -> None:
    ref = await tickets.file(ENTERPRISE, pdf(), needs=CORPORATE, now=NOW)
    for wrong in (ref.model_copy(update={"sha256": "0" * 64}), ref.model_copy(update={"revision": 2})):
        await tickets.discard(wrong)
    assert names(folder, ref) == ["r1-letter.pdf", "r1-original.pdf", "r1.json"]


async def test_a_note_is_kept_under_an_opaque_reference(tickets: TicketFiles, folder: Path) -> None:
    ref = await tickets.file(INDIVIDUAL, None, needs=PERSONAL, now=NOW)
    text = "张三来电：公章不清晰，请重新上传。"
    note_ref = await tickets.put_note(ref.ticket_no, f"  {text}\n")
    assert re.fullmatch(r"[0-9a-f]{16}", note_ref)
    assert f"tickets/{ref.ticket_no}/notes/{note_ref}.json" in stored(folder)
    assert await tickets.read_note(ref.ticket_no, note_ref) == text
    assert await tickets.put_note(ref.ticket_no, text) != note_ref
    # A note is no revision.
    assert (await tickets.supply(ref, CHANGES, None, needs=PERSONAL, now=LATER)).revision == 2


async def test_a_note_that_is_not_there_is_refused(tickets: TicketFiles) -> None:
    refusal = await refused(tickets.read_note("T20261121-AAAAAAAA", "0123456789abcdef"))
    assert refusal.type is ErrorType.NOT_FOUND


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_NOTE_CHARACTERS + 1)])
async def test_a_note_without_words_or_with_too_many_is_refused(text: str, tickets: TicketFiles, folder: Path) -> None:
    assert (await refused(tickets.put_note("T20261121-AAAAAAAA", text))).type is ErrorType.BAD_INPUT
    assert stored(folder) == []
