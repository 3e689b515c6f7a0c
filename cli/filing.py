"""Manual requests, filed and completed for their owners."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt, ResolvedExistingFile

from cli import screens
from cli.answers import Answer, UsageError
from cli.parameters import Account, ActingFor, Digest, Flag, Id, TicketNo, actor
from cli.session import open_session
from domain.messages import CancellationView
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase, Step
from domain.tickets import BalanceChoice, BalanceWish, ReviewStatus
from service.refusals import require

if TYPE_CHECKING:
    from service.tickets import Paper


class BalanceOption(StrEnum):
    """As it is typed."""

    GIVE_UP = "give-up"
    RETURN = "return"


@Parameter(name="*")
@dataclass(frozen=True)
class Money:
    """The word about the money of the account."""

    balance: BalanceOption | None = None
    "What is to become of the money that the report shows; required when there is some."
    amount_fen: NonNegativeInt | None = None
    "The amount that was shown, in fen; required to give it up."


async def file(
    account: Account,
    /,
    *,
    email: str = "",
    phone: str = "",
    letter: ResolvedExistingFile | None = None,
    accept_notice: Flag = False,
    money: Money = Money(),
    report: Digest | None = None,
    i_understand: Id | None = None,
    acting_for: ActingFor = None,
) -> Answer:
    """File a ticket about the report that was shown.

    Parameters
    ----------
    email
        Contact e-mail; required.
    phone
        Contact phone; required. A number without country code is Chinese.
    letter
        The stamped letter of consent (PDF, JPEG, PNG, TIFF, HEIC or WebP; at most 20 MiB); required of enterprises.
    accept_notice
        The statement that the notice was read and accepted; required of everybody else.
    report
        Digest of the report that was read: refused when it is not the latest.
    i_understand
        The account's id once more, to file about the latest report, whatever it is.
    """
    from service.tickets import file_ticket  # noqa: PLC0415 - heavy

    if i_understand not in (None, account):
        raise UsageError("--i-understand names another account. Nothing was filed.")
    scan = await asyncio.to_thread(letter.read_bytes) if letter else None
    async with open_session() as session:
        view = await session.cancellations.wait_while(account, Phase.OPENING)
        if view.phase is Phase.CHECKING:
            view = await session.cancellations.wait_while(account, Phase.CHECKING)
        latest = view.report.digest if view.report else None
        digest = report or latest
        require(view, Step.FILE_TICKET, report_digest=digest)
        assert digest is not None
        if report is None and i_understand is None:
            raise _not_filed(
                view,
                "Nothing was filed. There is no way back from an approved ticket: to go on, say which report was read "
                "by --report, or repeat the account's id by --i-understand.",
            )
        filed = await file_ticket(
            session.cancellations,
            session.tickets,
            account,
            _paper(view, email, phone, accept_notice, _balance(view, money)),
            scan,
            report_digest=digest,
            by=actor(account, acting_for),
            now=datetime.now(UTC),
        )
    return Answer(filed, partial(screens.request, filed))


async def supply(
    ticket_no: TicketNo,
    /,
    *,
    letter: ResolvedExistingFile | None = None,
    email: str | None = None,
    phone: str | None = None,
    accept_notice: Flag = False,
    money: Money = Money(),
    acting_for: ActingFor = None,
) -> Answer:
    """Supply materials. What is not given stays as it was.

    Parameters
    ----------
    letter
        New stamped letter (PDF, JPEG, PNG, TIFF, HEIC or WebP; at most 20 MiB).
    email
        New contact e-mail.
    phone
        New contact phone.
    accept_notice
        The statement that the notice in force was read and accepted.
    """
    from service.tickets import supply_materials  # noqa: PLC0415 - heavy

    scan = await asyncio.to_thread(letter.read_bytes) if letter else None
    async with open_session() as session:
        review = await session.cancellations.review(ticket_no)
        account = review.case.account_id
        view = await session.cancellations.view(account)
        if review.status is ReviewStatus.AWAITING_MATERIALS:
            # The review has decided; its request hears of that a moment later.
            view = await session.cancellations.wait_while(account, Phase.UNDER_REVIEW)
        require(view, Step.SUPPLY_MATERIALS)
        choice = _balance(view, money) if money.balance else None
        supplied = await supply_materials(
            session.cancellations,
            session.tickets,
            account,
            _paper(view, email, phone, accept_notice, choice),
            scan,
            by=actor(account, acting_for),
            now=datetime.now(UTC),
            previous=review.case.ticket,
        )
    return Answer(supplied, partial(screens.request, supplied))


def _paper(
    view: CancellationView, email: str | None, phone: str | None, accepted: bool, balance: BalanceChoice | None
) -> "Paper":
    from service.tickets import Paper  # noqa: PLC0415 - heavy

    notice = CURRENT_NOTICE[view.locale]
    return Paper(
        contact_email=email,
        contact_phone=phone,
        statement_accepted=accepted,
        notice_version=notice.version,
        notice_sha256=notice.sha256,
        balance=balance,
    )


def _balance(view: CancellationView, money: Money) -> BalanceChoice | None:
    """The word about the money that was shown: it is given up by naming the very amount."""
    shown = view.ticket_needs.balance_fen if view.ticket_needs else None
    if shown is None:
        if money.balance:
            raise _not_filed(view, "Nothing was filed. The report shows no money: leave --balance out.")
        return None
    if money.balance is None:
        raise _not_filed(view, "Nothing was filed. Say what is to become of the money, by --balance.")
    wish = BalanceWish[money.balance.name]
    named = shown if wish is BalanceWish.RETURN and money.amount_fen is None else money.amount_fen
    if named != shown:
        raise _not_filed(view, "Nothing was filed. Repeat the amount that the report shows, by --amount-fen.")
    return BalanceChoice(wish=wish, amount_fen=shown)


def _not_filed(view: CancellationView, why: str) -> UsageError:
    assert view.report is not None
    return UsageError(
        why,
        shown=partial(screens.before_filing, view),
        report_digest=view.report.digest,
        balance_fen=view.ticket_needs.balance_fen if view.ticket_needs else None,
        forfeits=view.report.entitlements,
    )
