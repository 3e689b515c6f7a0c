"""The letter: pictures that were drawn anew, the file as a download, and what cannot be shown."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import httpx2
import pytest
from console.staff.picture_process import MAX_PIXELS
from PIL import Image, PngImagePlugin

from console.access.roles import Role
from domain.accounts import RealNameType
from domain.ids import new_number
from domain.model import VaultRef
from domain.tickets import Letter, LetterType, TicketRef
from runtime.intake import TicketDraft, TicketIntake
from tests.console.conftest import Console
from tests.console.staff.pages import ticket_page, words
from tests.runtime.test_letters import pdf
from tests.service import Service, owner_of
from tests.workflows.tickets import NOTICE, Case, blocked, file, put_unchecked, under_review

SECRET = "where this picture was taken"


def picture(format: str, size: tuple[int, int] = (300, 420), mode: str = "RGB") -> bytes:
    made = BytesIO()
    options = {}
    if format == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("Comment", SECRET)
        options = {"pnginfo": told}
    Image.radial_gradient("L").resize(size).convert(mode).save(made, format, **options)
    return made.getvalue()


async def with_letter(service: Service, letter: bytes) -> Case:
    account_id = await blocked(service, real_name_type="ENTERPRISE", icp_applications_ever=1)
    view = await service.desk.view(account_id)
    assert view.report is not None
    assert view.ticket_needs is not None
    draft = TicketDraft(
        account_id=account_id,
        report_digest=view.report.digest,
        real_name_type=RealNameType.ENTERPRISE,
        contact_email="owner@example.com",
        contact_phone="138 0013 8000",
        by=owner_of(account_id),
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
    )
    ticket = await TicketIntake(service.vault).file(draft, letter, needs=view.ticket_needs, now=datetime.now(UTC))
    return await file(service, account_id, ticket)


async def with_odd_letter(service: Service, data: bytes, media_type: LetterType) -> Case:
    """A letter that came round the intake, or that a parser of later days reads differently."""
    account_id = await blocked(service, real_name_type="ENTERPRISE", icp_applications_ever=1)
    path = f"tickets/odd-{uuid4().hex}/letter"
    stored: VaultRef = await service.vault.put_blob(path, data, media_type)
    letter = Letter(path=path, sha256=stored.sha256, media_type=media_type, size_bytes=len(data), pages=1)
    ticket: TicketRef = await put_unchecked(
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


@pytest.mark.parametrize(
    ("letter", "extension"),
    [(picture("JPEG"), "jpg"), (picture("PNG"), "png"), (picture("PDF"), "pdf"), (picture("PNG", mode="LA"), "png")],
    ids=["JPEG", "PNG", "PDF", "PNG with transparency"],
)
async def test_each_page_is_a_picture_and_the_file_a_download(
    agent: httpx2.AsyncClient, service: Service, letter: bytes, extension: str
) -> None:
    case = await with_letter(service, letter)
    base = f"/staff/tickets/{case.ticket_no}/letter"
    html = await ticket_page(agent, case)
    assert f'src="{base}/pages/1.png?revision=1"' in html
    page = await agent.get(f"{base}/pages/1.png?revision=1")
    shown = opened(page)
    assert shown.width / shown.height == pytest.approx(300 / 420, rel=0.02)
    assert shown.width * shown.height <= MAX_PIXELS
    assert page.content != letter
    assert SECRET.encode() not in page.content
    assert shown.info.keys() <= {"dpi"}
    file = await agent.get(base)
    assert file.content == letter
    expected = f'attachment; filename="{case.ticket_no}-r1-letter.{extension}"'
    assert file.headers["content-disposition"] == expected
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"] == "no-store"


async def test_every_page_of_a_pdf_and_none_beyond(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_letter(service, pdf(3))
    base = f"/staff/tickets/{case.ticket_no}/letter/pages"
    assert "Page 3 of 3" in words(await ticket_page(agent, case))
    opened(await agent.get(f"{base}/3.png"))
    for beyond in (0, 4):
        assert (await agent.get(f"{base}/{beyond}.png")).status_code == 422


async def test_a_large_scan_is_made_smaller(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_letter(service, picture("JPEG", (4000, 5600), "L"))
    shown = opened(await agent.get(f"/staff/tickets/{case.ticket_no}/letter/pages/1.png"))
    assert MAX_PIXELS / 4 < shown.width * shown.height <= MAX_PIXELS


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"%PDF-1.7\nnothing that could be read\n%%EOF", LetterType.PDF),
        (picture("JPEG")[:900], LetterType.JPEG),
        (b"<svg onload='alert(1)'/>", LetterType.PNG),
        (picture("JPEG"), LetterType.PNG),
    ],
    ids=["broken PDF", "cut JPEG", "no picture at all", "another kind"],
)
async def test_what_cannot_be_shown_is_said_in_its_place_and_may_be_downloaded(
    agent: httpx2.AsyncClient, service: Service, data: bytes, media_type: LetterType
) -> None:
    case = await with_odd_letter(service, data, media_type)
    base = f"/staff/tickets/{case.ticket_no}/letter"
    page = await agent.get(f"{base}/pages/1.png")
    assert page.status_code == 422
    assert page.headers["content-type"] == "image/svg+xml"
    assert "This page cannot be shown" in page.text
    assert data not in page.content
    assert "Download the file" in words(await ticket_page(agent, case))
    file = await agent.get(base)
    assert file.content == data
    assert file.headers["content-disposition"].startswith("attachment")


async def test_a_letter_that_was_changed_in_the_vault_is_not_shown(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_letter(service, picture("PNG"))
    form = await TicketIntake(service.vault).load(case.ticket)
    assert form.letter is not None
    await service.vault._store.put_async(form.letter.path, picture("PNG", (10, 10)))
    html = await ticket_page(agent, case)
    assert "do not decide without it" in words(html)
    assert "VaultRecordChanged" in html
    assert "<img" not in html
    for address in ("letter", "letter/pages/1.png"):
        answer = await agent.get(f"/staff/tickets/{case.ticket_no}/{address}")
        assert answer.status_code == 500
        assert "VaultRecordChanged" in answer.text


async def test_an_individuals_ticket_has_no_letter(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    assert "<img" not in await ticket_page(agent, case)
    assert (await agent.get(f"/staff/tickets/{case.ticket_no}/letter")).status_code == 404


async def test_the_letter_of_another_revision_is_not_shown_for_this_one(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await with_letter(service, picture("PNG"))
    answer = await agent.get(f"/staff/tickets/{case.ticket_no}/letter/pages/1.png?revision=2")
    assert answer.status_code == 404


async def test_an_auditor_sees_the_letter_and_an_owner_does_not(console: Console, service: Service) -> None:
    case = await with_letter(service, picture("PNG"))
    async with console.signed_in(Role.AUDITOR) as auditor, console.owner(case.account_id) as owner:
        for address in ("letter", "letter/pages/1.png"):
            assert (await auditor.get(f"/staff/tickets/{case.ticket_no}/{address}")).status_code == 200
            assert (await owner.get(f"/staff/tickets/{case.ticket_no}/{address}")).status_code == 403
