"""The end: the certificate on the page, to print, and to keep."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from console.settings import ConsoleSettings
from domain.deletion import Certificate
from domain.phases import Phase
from gateways.vault import ObjectVault
from tests.console.conftest import console_on
from tests.console.owner.pages import Owner
from tests.support.service import Service
from tests.support.tickets import awaiting_confirmation

OwnerOf = Callable[[str], Owner]


async def closed(service: Service) -> str:
    account_id = await awaiting_confirmation(service)
    await service.confirm(account_id)
    await service.in_phase(account_id, Phase.CLOSED)
    return account_id


async def test_the_certificate_can_be_kept(service: Service, owner_of: OwnerOf) -> None:
    account_id = await closed(service)
    owner = owner_of(account_id)
    assert "/owner/certificate?format=json" in (await owner.look()).links
    answer = await owner.browser.get("/owner/certificate?format=json")
    request_no = (await service.cancellations.view(account_id)).request_no
    assert answer.headers["Content-Disposition"] == f'attachment; filename="certificate-{request_no}.json"'
    assert Certificate.model_validate_json(answer.content) == await service.cancellations.certificate(request_no)


async def test_the_certificate_can_be_printed(service: Service, owner_of: OwnerOf) -> None:
    account_id = await closed(service)
    page = await owner_of(account_id).look("/owner/certificate")
    assert page.heading == "Certificate of closure"
    assert account_id in page.text
    for words in ("Revoke credentials access keys × 2", "Voucher ¥50.00", "Invoices until"):
        assert words in page.text


async def test_before_the_end_there_is_none(service: Service, owner_of: OwnerOf) -> None:
    browser = owner_of(await awaiting_confirmation(service)).browser
    for address in ("/owner/certificate", "/owner/certificate?format=json"):
        answer = await browser.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/owner")


async def test_after_the_end_nothing_is_started_again(service: Service, owner_of: OwnerOf) -> None:
    account_id = await closed(service)
    owner = owner_of(account_id)
    await owner.browser.post("/owner/start")
    assert (await owner.look()).heading == "The account is closed"


async def test_a_certificate_that_cannot_be_read_now_is_not_lost(service: Service, tmp_path: Path) -> None:
    account_id = await closed(service)
    elsewhere = replace(service, vault=ObjectVault(tmp_path.as_uri()))
    async with console_on(elsewhere, ConsoleSettings()) as console:
        page = await Owner(console.owner(account_id)).look()
    assert page.heading == "The account is closed"
    assert "it is not lost" in page.text
