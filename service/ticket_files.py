"""How a ticket gets into the vault: checked as a whole, stored, and from then on known by its reference alone.

Everything here handles contact data, and none of it may reach Temporal or a message.
"""

import re
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import Field

from domain.accounts import RealNameType
from domain.actors import Actor
from domain.errors import ErrorType, Refusal
from domain.ids import new_number
from domain.letters import Letter
from domain.model import Model, OpaqueId, Sha256Hex
from domain.tickets import BalanceChoice, Statement, TicketForm, TicketNeeds, TicketRef, missing_parts, ticket_path
from gateways.errors import GatewayError
from gateways.ports import Vault
from service.errors import translate_errors
from service.letters.drafts import LetterDraft, LetterDrafts, LetterNotSeen
from service.letters.letter_service import LetterService, Upload
from service.letters.stored import letter_at, look_for_cleaned, put_letter, read_cleaned, read_original

MAX_NOTE_CHARACTERS: Final = 4000


class _Filing(Model):
    """What every filing says: by whom, and whether the notice, in this version, was read and accepted.

    `balance` is the word about the money, with the sum that was shown.
    """

    by: Actor
    balance: BalanceChoice | None = None
    statement_accepted: bool = False
    notice_version: str = Field(max_length=40)
    notice_sha256: Sha256Hex

    @property
    def statement(self) -> Statement | None:
        if not self.statement_accepted:
            return None
        return Statement(notice_version=self.notice_version, notice_sha256=self.notice_sha256)


class TicketSubmission(_Filing):
    """A ticket as it is handed in. Contacts may be in any usual notation; a number without country is Chinese.

    `report_digest` is the report that was shown to whoever files.
    """

    account_id: OpaqueId
    real_name_type: RealNameType
    report_digest: Sha256Hex
    contact_email: str = ""
    contact_phone: str = ""


class TicketChanges(_Filing):
    """What a new revision changes. A contact that is None stays as it was, and so does a word once given."""

    contact_email: str | None = None
    contact_phone: str | None = None


HandedLetter = Upload | LetterDraft
"""A letter as it comes with a ticket: the file, or what was made of it and kept until its pages were seen."""


class _Note(Model):
    ticket_no: OpaqueId
    note_ref: OpaqueId
    text: str


class TicketFiles:
    """Files tickets in the vault. `now` is the moment of filing, with a time zone; `needs` is what must be in them.

    Raises `Refusal`: `TICKET_INCOMPLETE` with the `missing` parts, `LETTER_REFUSED` with the `because`; and, when only
    that is left to do, `LetterNotSeen`. Then nothing has been stored. Raises `Unreachable` when the vault does not
    answer.

    `drafts` are the letters that are not filed yet.
    """

    def __init__(self, vault: Vault, letters: LetterService | None = None) -> None:
        self._vault = vault
        self._letters = letters or LetterService()
        self.drafts = LetterDrafts(vault, self._letters)

    @translate_errors("ticket")
    async def file(
        self, draft: TicketSubmission, letter: HandedLetter | None, *, needs: TicketNeeds, now: datetime
    ) -> TicketRef:
        """File a new ticket as revision 1."""
        form = TicketForm(
            ticket_no=new_number("T", now),
            revision=1,
            account_id=draft.account_id,
            real_name_type=draft.real_name_type,
            contact_email=_usable_email(draft.contact_email),
            contact_phone=_usable_phone(draft.contact_phone),
            statement=draft.statement,
            letter=None,
            balance=draft.balance,
            report_digest=draft.report_digest,
            filed_by=draft.by.subject,
            filed_via=draft.by.via,
            filed_at=now,
        )
        return await self._store(form, letter, needs)

    @translate_errors("ticket")
    async def supply(
        self,
        previous: TicketRef,
        changes: TicketChanges,
        letter: HandedLetter | None,
        *,
        needs: TicketNeeds,
        now: datetime,
    ) -> TicketRef:
        """File the next revision, chained to `previous`. Without a new letter the earlier one goes on counting."""
        before = await self.load(previous)
        email, phone = changes.contact_email, changes.contact_phone
        form = TicketForm(
            ticket_no=before.ticket_no,
            revision=await self._next_revision(previous),
            account_id=before.account_id,
            real_name_type=before.real_name_type,
            contact_email=before.contact_email if email is None else _usable_email(email),
            contact_phone=before.contact_phone if phone is None else _usable_phone(phone),
            statement=changes.statement or before.statement,
            letter=before.letter,
            balance=changes.balance or before.balance,
            report_digest=before.report_digest,
            filed_by=changes.by.subject,
            filed_via=changes.by.via,
            filed_at=now,
            previous_sha256=previous.sha256,
        )
        while True:
            try:
                return await self._store(form, letter, needs)
            except GatewayError as error:
                if error.type is not ErrorType.VAULT_RECORD_CHANGED:
                    raise
            # Somebody, by a double click maybe, was quicker by a moment and has the number: it is listed by now.
            form = form.model_copy(update={"revision": await self._next_revision(previous)})

    async def discard(self, ref: TicketRef) -> None:
        """Take back a revision that its request has refused: no contact data shall lie there for nothing.

        A vault that is away hides no refusal: what then stays is found by its age (docs/runbook-ops.md).
        """
        with suppress(GatewayError):
            form = await self._vault.read(ref.record, TicketForm)
            own_letter = form.letter is not None and form.letter.path.startswith(_stem(ref.ticket_no, ref.revision))
            # The letter last: a form must never refer to a letter that is not there.
            await self._vault.discard(ref.record.path)
            if form.letter and own_letter:
                await self._vault.discard(form.letter.path)
                await self._vault.discard(form.letter.original.path)

    @translate_errors("ticket")
    async def load(self, ref: TicketRef) -> TicketForm:
        """The form of one revision, verified against its hash."""
        return await self._vault.read(ref.record, TicketForm)

    @translate_errors("ticket")
    async def read_letter(self, form: TicketForm) -> bytes:
        """The cleaned letter, verified against its hash. Raises `Refusal(NOT_FOUND)` when there is none."""
        return await read_cleaned(self._vault, _letter_of(form))

    @translate_errors("ticket")
    async def look_for_letter(self, form: TicketForm) -> None:
        """Raise what `read_letter` would for a letter that is gone, or of another size, without reading it."""
        await look_for_cleaned(self._vault, _letter_of(form))

    @translate_errors("ticket")
    async def letter_page(self, form: TicketForm, number: int) -> bytes:
        """A page of the letter as PNG; pages count from 1.

        Raises `Refusal(NOT_FOUND)` when there is none such, and `LETTER_REFUSED` when it cannot be drawn.
        """
        letter = _letter_of(form)
        if not 1 <= number <= letter.pages:
            raise Refusal(
                ErrorType.NOT_FOUND,
                f"The letter of ticket {form.ticket_no} has no page {number}; it has {letter.pages}.",
            )
        return await self._letters.picture((letter.sha256, number), lambda: self.read_letter(form), form.ticket_no)

    @translate_errors("ticket")
    async def read_original(self, form: TicketForm) -> bytes:
        """The letter as it was sent, which nothing has made harmless; verified as `read_letter` does it."""
        return await read_original(self._vault, _letter_of(form))

    @translate_errors("ticket")
    async def put_note(self, ticket_no: str, text: str) -> str:
        """Keep a reviewer's free text; the answer is the `note_ref` for a decision."""
        if not 1 <= len(text.strip()) <= MAX_NOTE_CHARACTERS:
            raise Refusal(
                ErrorType.BAD_INPUT, f"A note has 1 to {MAX_NOTE_CHARACTERS} characters; shorten it, or leave it out."
            )
        note = _Note(ticket_no=ticket_no, note_ref=secrets.token_hex(8), text=text.strip())
        await self._vault.put_evidence(_note_path(ticket_no, note.note_ref), note)
        return note.note_ref

    @translate_errors("ticket")
    async def discard_note(self, ticket_no: str, note_ref: str) -> None:
        """Take back the note of a decision that its review has refused."""
        await self._vault.discard(_note_path(ticket_no, note_ref))

    @translate_errors("ticket")
    async def read_note(self, ticket_no: str, note_ref: str) -> str:
        """Raises `Refusal(NOT_FOUND)` when the ticket has no such note."""
        found = await self._vault.find(_note_path(ticket_no, note_ref), _Note)
        if found is None:
            raise Refusal(
                ErrorType.NOT_FOUND, f"Ticket {ticket_no} has no note {note_ref}; take the reference from its decision."
            )
        return found[0].text

    async def _next_revision(self, previous: TicketRef) -> int:
        """The first free number: a revision that was stored but never reached its request stays where it is."""
        paths = await self._vault.list(_folder(previous.ticket_no))
        taken = [int(found[1]) for path in paths if (found := re.search(r"/r(\d+)[.-][^/]*$", path))]
        return max(taken, default=previous.revision) + 1

    async def _store(self, form: TicketForm, letter: HandedLetter | None, needs: TicketNeeds) -> TicketRef:
        if letter is None:
            _require_whole(form, needs)
            return await self._keep(form)
        if isinstance(letter, LetterDraft):
            if not letter.seen:
                _require_whole(form.model_copy(update={"letter": letter.letter}), needs)
                raise LetterNotSeen
            opening = self.drafts.opened(letter)
        else:
            opening = self._letters.rendered(letter, form.account_id)
        async with opening as (original, rendered):
            sent = letter_at(_stem(form.ticket_no, form.revision), rendered)
            form = form.model_copy(update={"letter": sent})
            _require_whole(form, needs)
            # The letter first: a form must never refer to a letter that is not there.
            await put_letter(self._vault, sent, original, rendered.content)
            return await self._keep(form)

    async def _keep(self, form: TicketForm) -> TicketRef:
        stored = await self._vault.put_evidence(ticket_path(form.ticket_no, form.revision), form)
        return TicketRef(ticket_no=form.ticket_no, revision=form.revision, sha256=stored.sha256)


def _require_whole(form: TicketForm, needs: TicketNeeds) -> None:
    if missing := missing_parts(form, needs):
        raise Refusal(
            ErrorType.TICKET_INCOMPLETE,
            f"The ticket lacks {', '.join(missing)}; add it and file again. "
            "A contact that is not a valid address or number counts as missing.",
            missing=list(missing),
        )


def _letter_of(form: TicketForm) -> Letter:
    if form.letter is None:
        raise Refusal(ErrorType.NOT_FOUND, f"Ticket {form.ticket_no} has no letter; its type does not need one.")
    return form.letter


def _stem(ticket_no: str, revision: int) -> str:
    """With what the paths of a revision's own files begin, but for the form itself."""
    return ticket_path(ticket_no, revision).removesuffix(".json") + "-"


def _folder(ticket_no: str) -> str:
    return str(PurePosixPath(ticket_path(ticket_no, 1)).parent)


def _note_path(ticket_no: str, note_ref: str) -> str:
    return f"{_folder(ticket_no)}/notes/{note_ref}.json"


def _usable_email(text: str) -> str:
    """The address as any mail server takes it, a Chinese domain in its ASCII form; empty when it is none."""
    try:
        return validate_email(text.strip(), check_deliverability=False).ascii_email or ""
    except EmailNotValidError:
        return ""


def _usable_phone(text: str) -> str:
    """The number as E.164, such as `+8613800138000`; empty when it is none."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
