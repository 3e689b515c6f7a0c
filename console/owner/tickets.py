"""The manual request: the ticket's form, its later materials, and the letter of consent to fill in.

A letter is shown as the reviewer will see it before it goes anywhere: a form with a new file comes back with its pages,
and is sent once more to hand it in.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from console.auth.authorization import OwnAccount
from console.errors import EXPECTED, Problem
from console.owner import wording
from console.owner.acting import ByForm, OwnerActing
from console.owner.drafts import Holder
from console.owner.rendering import ask_again, home, look, render, unavailable
from console.owner.stages import is_without_channel, was_ended
from console.pages import language, page
from console.services import Services, WithServices
from domain.errors import ErrorType
from domain.locale import Locale
from domain.messages import CancellationView
from domain.model import Fen, OpaqueId, Sha256Hex
from domain.phases import Phase, Step, allows
from domain.tickets import BalanceChoice, BalanceWish
from i18n.catalogue import translate
from service.letters.drafts import LetterDraft, LetterNotSeen
from service.letters.letter_service import Upload
from service.letters.problems import MAX_BYTES
from service.letters.template import template_letter
from service.tickets import Paper, file_ticket, supply_materials

router = APIRouter()


class TicketFields:
    """What the form of a ticket sends. It stands in it again when it is refused; `draft` names the letter that does."""

    def __init__(
        self,
        notice_version: Annotated[str, Form(max_length=40)],
        notice_sha256: Annotated[Sha256Hex, Form()],
        contact_email: Annotated[str, Form(max_length=320)] = "",
        contact_phone: Annotated[str, Form(max_length=40)] = "",
        statement: Annotated[bool, Form()] = False,
        balance: Annotated[BalanceWish | None, Form()] = None,
        balance_fen: Annotated[Fen, Form()] = 0,
        letter: Annotated[UploadFile | None, File()] = None,
        draft: Annotated[OpaqueId | None, Form()] = None,
    ) -> None:
        self.draft_id = draft
        self.notice_version, self.notice_sha256 = notice_version, notice_sha256
        self.email, self.phone = contact_email.strip(), contact_phone.strip()
        self.statement, self._letter = statement, letter
        self._balance = BalanceChoice(wish=balance, amount_fen=balance_fen) if balance else None

    @property
    def typed(self) -> dict[str, str]:
        return {
            "email": self.email,
            "phone": self.phone,
            "statement": "yes" if self.statement else "",
            "balance": self._balance.wish if self._balance else "",
        }

    @property
    def paper(self) -> Paper:
        """A contact that was left empty stays as it was, where there was one."""
        return Paper(
            contact_email=self.email or None,
            contact_phone=self.phone or None,
            statement_accepted=self.statement,
            notice_version=self.notice_version,
            notice_sha256=self.notice_sha256,
            balance=self._balance,
        )

    @property
    def letter(self) -> Upload | None:
        """None when no file was chosen; one byte more than allowed is enough to be refused."""
        chosen = self._letter if self._letter and self._letter.filename else None
        return partial(chosen.read, MAX_BYTES + 1) if chosen else None

    @property
    def is_empty(self) -> bool:
        return not (self.letter or self.draft_id or any(self.typed.values()))


Fields = Annotated[TicketFields, Depends()]


@router.get("/ticket")
async def owner_ticket_page(request: Request, services: WithServices, account: OwnAccount) -> Response:
    """The form; or, where a ticket cannot help yet, what has to be put right first."""
    try:
        situation = await look(services, account)
    except EXPECTED as error:
        return unavailable(request, Problem.of(error))
    view = situation.view
    if view is None or was_ended(view) or not (view.phase is Phase.BLOCKED or is_without_channel(view)):
        return home()
    return render(request, situation, template="ticket")


@router.post("/ticket")
async def owner_file_ticket(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    holder: Holder,
    fields: Fields,
    report_digest: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    def file(letter: LetterDraft | None) -> Awaitable[object]:
        return file_ticket(
            services.cancellations,
            services.tickets,
            account,
            fields.paper,
            letter,
            report_digest=report_digest,
            by=acting.by,
            now=services.now(),
            key=acting.key,
        )

    return await _hand_in(request, services, account, acting, holder, fields, Step.FILE_TICKET, file, template="ticket")


@router.post("/materials")
async def owner_supply_materials(
    request: Request, services: WithServices, account: OwnAccount, acting: OwnerActing, holder: Holder, fields: Fields
) -> Response:
    if fields.is_empty:
        problem = Problem(ErrorType.BAD_INPUT, "Nothing was supplied.", {"field": "materials"})
        return await ask_again(request, services, account, Step.SUPPLY_MATERIALS, problem)

    def supply(letter: LetterDraft | None) -> Awaitable[object]:
        return supply_materials(
            services.cancellations,
            services.tickets,
            account,
            fields.paper,
            letter,
            by=acting.by,
            now=services.now(),
            key=acting.key,
        )

    return await _hand_in(request, services, account, acting, holder, fields, Step.SUPPLY_MATERIALS, supply)


async def _hand_in(
    request: Request,
    services: Services,
    account: str,
    acting: ByForm,
    holder: str,
    fields: TicketFields,
    step: Step,
    file: Callable[[LetterDraft | None], Awaitable[object]],
    template: str | None = None,
) -> Response:
    """Hand the form in with the letter whose pages were seen. A new letter is kept and shown first."""
    draft: LetterDraft | None = None
    try:
        view = await services.cancellations.view(account)
        if not acting.is_about(view):
            return home()
        if _takes_letter(view, step):
            drafts, now = services.tickets.drafts, services.now()
            if fields.draft_id:
                draft = await drafts.find(account, holder, fields.draft_id, now)
            if fields.letter:
                draft = await drafts.keep(account, holder, fields.letter, now)
            elif fields.draft_id and draft is None:
                return await ask_again(request, services, account, step, _GONE, template=template, typed=fields.typed)
        await file(draft)
    except EXPECTED as error:
        problem = None if isinstance(error, LetterNotSeen) else Problem.of(error)
        again = partial(ask_again, template=template, typed=fields.typed, draft=draft)
        return await again(request, services, account, step, problem)
    return home()


_GONE: Final = Problem(ErrorType.BAD_INPUT, "The letter is no longer kept: choose the file again.", {"field": "letter"})


def _takes_letter(view: CancellationView, step: Step) -> bool:
    may_be_taken = not view.run_ended and allows(view.phase, step, channel_verified=bool(view.channels))
    return may_be_taken and view.ticket_needs is not None and view.ticket_needs.letter


@router.get("/letter-template")
async def owner_letter_template(request: Request, account: OwnAccount) -> Response:
    """To fill in and print: a page that every browser and word processor opens."""
    locale = language(request)
    title = translate(locale, "letter-of-consent")
    letter = page(request, "owner/letter.html", letter=wording.html(template_letter(Locale.nearest(locale)), below=0))
    letter.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.html"
    return letter
