"""The manual request: the ticket's form, its later materials, and the letter of consent to fill in."""

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from console.access.guard import OwnAccount
from console.errors import EXPECTED, Trouble
from console.owner import wording
from console.owner.acting import OwnerActing
from console.owner.showing import home, look, refuse, render, take, unavailable
from console.owner.stages import is_without_channel, was_ended
from console.pages import language, page
from console.services import Desk
from domain.errors import ErrorType
from domain.locale import pick
from domain.model import Fen, Sha256Hex
from domain.phases import Phase, Step
from domain.tickets import BalanceChoice, BalanceWish
from runtime.filing import Paper, file_ticket, supply_materials
from runtime.letters.desk import Upload
from runtime.letters.problems import MAX_BYTES
from runtime.letters.template import template_letter

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
        balance: Annotated[BalanceWish | None, Form()] = None,
        balance_fen: Annotated[Fen, Form()] = 0,
        letter: Annotated[UploadFile | None, File()] = None,
    ) -> None:
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


Fields = Annotated[TicketFields, Depends()]


@router.get("/ticket")
async def owner_ticket_page(request: Request, desk: Desk, account: OwnAccount) -> Response:
    """The form; or, where a ticket cannot help yet, what has to be put right first."""
    try:
        situation = await look(desk, account)
    except EXPECTED as error:
        return unavailable(request, Trouble.of(error))
    view = situation.view
    if view is None or was_ended(view) or not (view.phase is Phase.BLOCKED or is_without_channel(view)):
        return home()
    return render(request, situation, template="ticket")


@router.post("/ticket")
async def owner_file_ticket(
    request: Request,
    desk: Desk,
    account: OwnAccount,
    acting: OwnerActing,
    fields: Fields,
    report_digest: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    filing = file_ticket(
        desk.desk,
        desk.intake,
        account,
        fields.paper,
        fields.letter,
        report_digest=report_digest,
        by=acting.by,
        now=desk.now(),
        key=acting.key,
    )
    return await take(request, desk, account, acting, Step.FILE_TICKET, filing, template="ticket", typed=fields.typed)


@router.post("/materials")
async def owner_supply_materials(
    request: Request, desk: Desk, account: OwnAccount, acting: OwnerActing, fields: Fields
) -> Response:
    letter = fields.letter
    if letter is None and not any(fields.typed.values()):
        trouble = Trouble(ErrorType.BAD_INPUT, "Nothing was supplied.", {"field": "materials"})
        return await refuse(request, desk, account, Step.SUPPLY_MATERIALS, trouble)
    supplying = supply_materials(
        desk.desk, desk.intake, account, fields.paper, letter, by=acting.by, now=desk.now(), key=acting.key
    )
    return await take(request, desk, account, acting, Step.SUPPLY_MATERIALS, supplying, typed=fields.typed)


@router.get("/letter-template")
async def owner_letter_template(request: Request, account: OwnAccount) -> Response:
    """To fill in and print: a page that every browser and word processor opens."""
    locale = language(request)
    title = pick(locale, "注销账号同意书", "letter-of-consent")
    letter = page(request, "owner/letter.html", letter=wording.html(template_letter(locale), below=0))
    letter.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.html"
    return letter
