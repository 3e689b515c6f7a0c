"""The manual request: the ticket's form, its later materials, and the letter of consent to fill in."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from console.access.guard import OwnAccount, Visitor
from console.errors import EXPECTED, Trouble
from console.owner import wording
from console.owner.showing import home, look, refuse, render, take, unavailable
from console.owner.stages import may_file_ticket
from console.pages import language, page
from console.services import Desk, Services
from domain.errors import ErrorType
from domain.locale import pick
from domain.messages import CancellationView
from domain.model import Sha256Hex
from domain.phases import Phase, Step
from runtime.intake import TicketChanges, TicketDraft
from runtime.letters import MAX_BYTES, template_letter

router = APIRouter()


class TicketFields:
    """What the form of a ticket sends. Contacts stand in it again when it is refused; a file cannot."""

    def __init__(
        self,
        notice_version: Annotated[str, Form(max_length=40)],
        notice_sha256: Annotated[Sha256Hex, Form()],
        contact_email: Annotated[str, Form(max_length=320)] = "",
        contact_phone: Annotated[str, Form(max_length=40)] = "",
        statement: Annotated[bool, Form()] = False,
        letter: Annotated[UploadFile | None, File()] = None,
    ) -> None:
        self.notice_version, self.notice_sha256 = notice_version, notice_sha256
        self.email, self.phone = contact_email.strip(), contact_phone.strip()
        self.statement, self._letter = statement, letter

    @property
    def typed(self) -> dict[str, str]:
        return {"email": self.email, "phone": self.phone, "statement": "yes" if self.statement else ""}

    async def letter(self) -> bytes | None:
        """None when no file was chosen; one byte more than allowed is enough to be refused."""
        return await self._letter.read(MAX_BYTES + 1) if self._letter and self._letter.filename else None


Fields = Annotated[TicketFields, Depends()]


@router.get("/ticket")
async def owner_ticket_page(request: Request, desk: Desk, account: OwnAccount) -> Response:
    """The form; or, where a ticket cannot help yet, what has to be put right first."""
    try:
        situation = await look(desk, account)
    except EXPECTED as error:
        return unavailable(request, Trouble.of(error))
    view = situation.view
    if view is None or not (may_file_ticket(view) or view.phase is Phase.BLOCKED):
        return home()
    return render(request, situation, template="ticket")


@router.post("/ticket")
async def owner_file_ticket(
    request: Request, desk: Desk, account: OwnAccount, visitor: Visitor, fields: Fields
) -> Response:
    filing = _file(desk, account, visitor.subject, fields)
    return await take(request, desk, account, Step.FILE_TICKET, filing, template="ticket", typed=fields.typed)


async def _file(services: Services, account: str, filed_by: str, fields: TicketFields) -> CancellationView:
    view = await services.desk.view(account)
    if not may_file_ticket(view) or view.real_name_type is None:
        # Before the vault is touched: no contact data shall lie there for nothing.
        return view
    draft = TicketDraft(
        account_id=account,
        real_name_type=view.real_name_type,
        contact_email=fields.email,
        contact_phone=fields.phone,
        filed_by=filed_by,
        statement_accepted=fields.statement,
        notice_version=fields.notice_version,
        notice_sha256=fields.notice_sha256,
    )
    ticket = await services.intake.file(draft, await fields.letter(), now=services.now())
    return await services.desk.file_ticket(account, ticket)


@router.post("/materials")
async def owner_supply_materials(
    request: Request, desk: Desk, account: OwnAccount, visitor: Visitor, fields: Fields
) -> Response:
    letter = await fields.letter()
    if letter is None and not any(fields.typed.values()):
        trouble = Trouble(ErrorType.BAD_INPUT, "Nothing was supplied.", {"field": "materials"})
        return await refuse(request, desk, account, Step.SUPPLY_MATERIALS, trouble)
    supplying = _supply(desk, account, visitor.subject, fields, letter)
    return await take(request, desk, account, Step.SUPPLY_MATERIALS, supplying, typed=fields.typed)


async def _supply(
    services: Services, account: str, filed_by: str, fields: TicketFields, letter: bytes | None
) -> CancellationView:
    view = await services.desk.view(account)
    if view.phase is not Phase.AWAITING_MATERIALS or view.review is None:
        return view
    changes = TicketChanges(
        contact_email=fields.email or None,
        contact_phone=fields.phone or None,
        filed_by=filed_by,
        statement_accepted=fields.statement,
        notice_version=fields.notice_version,
        notice_sha256=fields.notice_sha256,
    )
    ticket = await services.intake.supply(view.review.ticket, changes, letter, now=services.now())
    return await services.desk.supply_materials(account, ticket)


@router.get("/letter-template")
async def owner_letter_template(request: Request, account: OwnAccount) -> Response:
    """To fill in and print: a page that every browser and word processor opens."""
    locale = language(request)
    title = pick(locale, "注销账号同意书", "letter-of-consent")
    letter = page(request, "owner/letter.html", letter=wording.html(template_letter(locale), below=0))
    letter.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.html"
    return letter
