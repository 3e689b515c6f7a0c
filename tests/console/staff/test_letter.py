"""The letter: pages that were drawn anew, all of them as a PDF, and never the file that was sent."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import httpx2
import pytest
from PIL import Image

from console.auth.roles import Role
from domain.accounts import RealNameType
from domain.errors import ErrorType
from domain.ids import new_number
from domain.letters import Letter, LetterOriginal, LetterSignature, LetterType, SignatureCheck
from domain.model import VaultRef
from service.ticket_files import TicketFiles, TicketSubmission
from tests.console.conftest import Console
from tests.console.staff.pages import ticket_page, words
from tests.service.letters.making import LETTERS, SEAL, pdf, pdf_with, quarters, saved
from tests.support.service import Service, owner_of
from tests.support.tickets import NOTICE, Case, blocked, file, put_unchecked, under_review

SECRET = "where this picture was taken"
PICTURE = saved(quarters(), "JPEG", comment=SECRET.encode())


async def with_letter(service: Service, letter: bytes) -> Case:
    account_id = await blocked(service, real_name_type="ENTERPRISE", icp_applications_ever=1)
    view = await service.cancellations.view(account_id)
    assert view.report is not None
    assert view.ticket_needs is not None
    draft = TicketSubmission(
        account_id=account_id,
        report_digest=view.report.digest,
        real_name_type=RealNameType.ENTERPRISE,
        contact_email="owner@example.com",
        contact_phone="138 0013 8000",
        by=owner_of(account_id),
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
    )
    tickets = TicketFiles(service.vault, LETTERS)
    return await file(
        service, account_id, await tickets.file(draft, letter, needs=view.ticket_needs, now=datetime.now(UTC))
    )


async def with_stored_letter(service: Service, content: bytes, signature: LetterSignature | None = None) -> Case:
    """With a letter that came round the tickets."""
    account_id = await blocked(service, real_name_type="ENTERPRISE", icp_applications_ever=1)
    path = f"tickets/odd-{uuid4().hex}/letter"
    stored = await service.vault.put_blob(path, content, LetterType.PDF)
    letter = Letter(
        path=path,
        sha256=stored.sha256,
        size_bytes=len(content),
        pages=1,
        original=LetterOriginal(path=path, sha256=stored.sha256, media_type=LetterType.PDF, size_bytes=len(content)),
        signature=signature,
    )
    ticket = await put_unchecked(
        service,
        account_id,
        real_name_type=RealNameType.ENTERPRISE,
        statement=None,
        letter=letter,
        ticket_no=new_number("T", datetime.now(UTC)),
    )
    return await file(service, account_id, ticket)


def opened(answer: httpx2.Response) -> Image.Image:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    shown = Image.open(BytesIO(answer.content), formats=("PNG",))
    shown.load()
    return shown


async def test_each_page_is_a_picture_and_all_of_them_a_download(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_letter(service, PICTURE)
    base = f"/staff/tickets/{case.ticket_no}/letter"
    html = await ticket_page(agent, case)
    assert f'src="{base}/pages/1.png?revision=1"' in html
    assert "sent as JPEG" in words(html)
    assert "signature" not in words(html)
    page = await agent.get(f"{base}/pages/1.png?revision=1")
    assert opened(page).size == (300, 420)
    file = await agent.get(base)
    assert file.content.startswith(b"%PDF-")
    assert SECRET.encode() in PICTURE
    for answer in (page, file):
        assert SECRET.encode() not in answer.content
        assert answer.headers["cache-control"] == "no-store"
    assert file.headers["content-disposition"] == f'attachment; filename="{case.ticket_no}-r1-letter.pdf"'
    assert file.headers["x-content-type-options"] == "nosniff"


async def test_every_page_of_a_pdf_and_none_beyond(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_letter(service, pdf(3))
    base = f"/staff/tickets/{case.ticket_no}/letter/pages"
    assert "Page 3 of 3" in words(await ticket_page(agent, case))
    opened(await agent.get(f"{base}/3.png"))
    for beyond in (0, 4):
        assert (await agent.get(f"{base}/{beyond}.png")).status_code == 404


async def test_an_electronic_signature_is_told(agent: httpx2.AsyncClient, service: Service) -> None:
    html = words(await ticket_page(agent, await with_letter(service, pdf_with(SEAL))))
    assert "Carries an electronic signature: not verified" in html


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (SignatureCheck.VALID, "Carries an electronic signature: valid · signed by Sample Company, 张三"),
        (SignatureCheck.INVALID, "Carries an electronic signature: not valid · signed by Sample Company, 张三"),
    ],
)
async def test_who_signed_is_told(
    check: SignatureCheck, told: str, agent: httpx2.AsyncClient, service: Service
) -> None:
    signature = LetterSignature(check=check, signers=("Sample Company", "张三"))
    assert told in words(await ticket_page(agent, await with_stored_letter(service, pdf(), signature)))


async def test_what_cannot_be_shown_is_said_in_its_place(agent: httpx2.AsyncClient, service: Service) -> None:
    content = b"%PDF-1.7\nnothing that could be read\n%%EOF"
    case = await with_stored_letter(service, content)
    page = await agent.get(f"/staff/tickets/{case.ticket_no}/letter/pages/1.png")
    assert page.status_code == 422
    assert page.headers["content-type"] == "image/svg+xml"
    assert "This page cannot be shown" in page.text
    assert content not in page.content


async def unseen(service: Service) -> tuple[Case, Letter]:
    """One that nobody has looked at: a page that was drawn once is the page that its hash stands for."""
    case = await with_letter(service, pdf(text=f"Letter {uuid4()}"))
    form = await TicketFiles(service.vault).load(case.ticket)
    assert form.letter is not None
    return case, form.letter


@pytest.mark.parametrize("trouble", [ErrorType.VAULT_RECORD_MISSING, ErrorType.VAULT_RECORD_CHANGED])
async def test_a_letter_that_is_gone_or_was_replaced_is_told_of_before_its_pages(
    agent: httpx2.AsyncClient, service: Service, trouble: ErrorType
) -> None:
    case, letter = await unseen(service)
    if trouble is ErrorType.VAULT_RECORD_MISSING:
        await service.vault.discard(letter.path)
    else:
        await service.vault._store.put_async(letter.path, pdf())
    html = await ticket_page(agent, case)
    assert "do not decide without it" in words(html)
    assert trouble in html
    assert "<img" not in html
    await not_shown(agent, case, trouble)


async def test_a_letter_that_was_altered_is_not_shown(agent: httpx2.AsyncClient, service: Service) -> None:
    case, letter = await unseen(service)
    content = await service.vault.read_blob(VaultRef(path=letter.path, sha256=letter.sha256))
    await service.vault._store.put_async(letter.path, content[:-1] + b"!")
    await not_shown(agent, case, ErrorType.VAULT_RECORD_CHANGED)


async def not_shown(agent: httpx2.AsyncClient, case: Case, trouble: ErrorType) -> None:
    base = f"/staff/tickets/{case.ticket_no}/letter"
    file, page = await agent.get(base), await agent.get(f"{base}/pages/1.png")
    assert page.headers["content-type"] == "image/svg+xml"
    assert "This page cannot be shown" in page.text
    for answer in (file, page):
        assert answer.status_code == 500
        assert trouble in answer.text


async def test_an_individuals_ticket_has_no_letter(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    assert "<img" not in await ticket_page(agent, case)
    assert (await agent.get(f"/staff/tickets/{case.ticket_no}/letter")).status_code == 404
    assert (await agent.get(f"/staff/tickets/{case.ticket_no}/letter/pages/1.png")).status_code == 404


async def test_the_letter_of_another_revision_is_not_shown_for_this_one(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await with_letter(service, PICTURE)
    answer = await agent.get(f"/staff/tickets/{case.ticket_no}/letter/pages/1.png?revision=2")
    assert answer.status_code == 404


async def test_an_auditor_sees_the_letter_and_an_owner_does_not(console: Console, service: Service) -> None:
    case = await with_letter(service, PICTURE)
    async with console.signed_in(Role.AUDITOR) as auditor, console.owner(case.account_id) as owner:
        for address in ("letter", "letter/pages/1.png"):
            assert (await auditor.get(f"/staff/tickets/{case.ticket_no}/{address}")).status_code == 200
            assert (await owner.get(f"/staff/tickets/{case.ticket_no}/{address}")).status_code == 403
