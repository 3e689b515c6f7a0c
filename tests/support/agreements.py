"""Handing tickets in as the owner's pages do, and changing the world at the last moment: for tests of agreements."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from domain.deletion import Dossier
from domain.errors import Refusal
from domain.messages import CancellationView
from domain.phases import Phase
from domain.tickets import BalanceChoice
from service.ticket_files import TicketFiles
from service.tickets import Paper, file_ticket
from simulator.kinds import Endpoint, FaultKind
from tests.service.letters.making import LETTERS
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import NOTICE, refusal


async def hand_in(
    service: Service,
    account: str,
    *,
    report_digest: str | None = None,
    balance: BalanceChoice | None = None,
    statement: bool = True,
    letter: bytes | None = None,
) -> CancellationView:
    """File as the owner's pages do."""
    report = (await service.cancellations.view(account)).report
    assert report is not None
    paper = Paper(
        contact_email="owner@example.com",
        contact_phone="138 0013 8000",
        statement_accepted=statement,
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
        balance=balance,
    )
    return await file_ticket(
        service.cancellations,
        TicketFiles(service.vault, LETTERS),
        account,
        paper,
        letter,
        report_digest=report_digest or report.digest,
        by=owner_of(account),
        now=datetime.now(UTC),
    )


async def refused_without_a_trace(
    service: Service, account: str, *, report_digest: str | None = None, balance: BalanceChoice | None = None
) -> Refusal:
    """A filing that is refused, and leaves no contact data behind."""
    before = await service.vault.list("tickets")
    refused = await refusal(hand_in(service, account, report_digest=report_digest, balance=balance))
    assert await service.vault.list("tickets") == before
    return refused


async def dossier_of(service: Service, account: str) -> Dossier:
    result = await service.request(account).result()
    assert result.outcome is Phase.CLOSED
    certificate = await service.cancellations.certificate(result.request_no)
    return await service.vault.read(certificate.previous, Dossier)


@asynccontextmanager
async def just_before_the_seal(service: Service, account: str) -> AsyncIterator[None]:
    """The world as it changes after the last word: the hold is asked for inside, and taken at the end."""
    gate = await service.store.add_fault(Endpoint.TAKE_HOLD, FaultKind.GATE, account_id=account, times=None)
    try:
        yield
        await eventually(lambda: service.store.waiting_at(gate), bool)
    finally:
        await service.store.clear_faults()


async def grant(service: Service, account: str) -> None:
    """A voucher of 10,000 yuan, beside the one that everybody has."""
    await service.store.set_facts(account, vouchers="5000,1000000")


async def grow(service: Service, account: str) -> None:
    await service.store.set_facts(account, vouchers=1_000_000)


async def take_away(service: Service, account: str) -> None:
    await service.store.set_facts(account, vouchers="")
