"""One address shows the step that is right: whoever closes the tab and comes back is where they were."""

import asyncio
from collections.abc import Callable

from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason
from simulator.kinds import Endpoint, FaultKind
from tests.console.owner.pages import Owner
from tests.support.service import Service, eventually
from tests.support.tickets import (
    MARGIN,
    awaiting_confirmation,
    awaiting_identity,
    awaiting_notice,
    blocked,
    fault,
    skip_to,
    under_review,
)

OwnerOf = Callable[[str], Owner]

WITHDRAW = "/owner/withdraw"


async def test_without_a_request_it_says_what_will_happen_and_offers_to_start(
    service: Service, owner_of: OwnerOf
) -> None:
    page = await owner_of(await service.account()).look()
    assert (page.status, page.step, page.heading) == (200, "Apply", "Cancel this cloud account")
    assert page.actions == {"/owner/start"}
    assert "cannot be restored" in page.text


async def test_a_request_that_is_being_opened_can_be_withdrawn(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    owner = owner_of(account_id)
    async with fault(service, Endpoint.PROFILE, FaultKind.ERROR, account_id=account_id, status=503):
        starting = asyncio.create_task(service.start(account_id))
        page = await owner.until("Opening your request")
        assert page.step == "Apply"
        page = await owner.send(WITHDRAW)
    await starting
    assert page.heading == "The request is withdrawn"


async def test_each_waiting_phase_lands_on_its_step(service: Service, owner_of: OwnerOf) -> None:
    expected = {
        await awaiting_identity(service): ("Proof of identity", "Verify it's you", "/owner/code"),
        await awaiting_notice(service): ("The notice", "Read the notice", "/owner/notice"),
        await blocked(service): ("Conditions", "It cannot be closed yet", "/owner/recheck"),
        await awaiting_confirmation(service): ("Confirm", "All conditions are met", "/owner/recheck"),
    }
    for account_id, (step, heading, action) in expected.items():
        page = await owner_of(account_id).look()
        assert (page.status, page.step, page.heading) == (200, step, heading)
        assert page.actions == {action, WITHDRAW}


async def test_a_review_shows_by_when_it_is_answered(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    page = await owner_of(case.account_id).look()
    assert (page.step, page.heading) == ("Review", "Staff are looking at it")
    assert case.ticket_no in page.text
    due = (await case.clock()).due_at
    assert any(time.attributes["datetime"] == due.isoformat().replace("+00:00", "Z") for time in page.find_all("time"))
    assert page.actions == {WITHDRAW}


async def test_a_late_review_is_called_late(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.skip_to((await case.clock()).due_at + MARGIN)
    owner = owner_of(case.account_id)
    page = await eventually(owner.look, lambda page: "We are late" in page.text)
    assert "neither yes nor no" in page.text


async def test_missing_materials_are_named_with_what_to_do(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    page = await owner_of(case.account_id).look()
    assert (page.step, page.heading) == ("Review", "Something is missing")
    assert "Give an e-mail and a phone that reach you." in page.text
    assert page.actions == {"/owner/materials", WITHDRAW}


async def test_a_rejection_names_its_reasons_and_may_be_asked_again(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.reject(DecisionReason.LEGAL_HOLD)
    await case.in_phase(Phase.REJECTED)
    owner = owner_of(case.account_id)
    page = await owner.look()
    assert (page.step, page.heading) == (None, "The review did not approve it")
    assert "The law requires the account to be kept" in page.text
    assert (await owner.send("/owner/start")).heading == "Verify it's you"


async def test_a_refusal_says_why(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await service.account(restricted=True))
    page = await owner.send("/owner/start")
    assert page.heading == "This account cannot be cancelled now"
    assert "Have support lift the restriction" in page.text
    assert WITHDRAW not in page.actions


async def test_a_lapsed_request_can_be_started_again(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    lapses_at = (await service.start(account_id)).lapses_at
    assert lapses_at is not None
    await skip_to(service, service.request(account_id), lapses_at + MARGIN)
    await service.in_phase(account_id, Phase.LAPSED)
    page = await owner_of(account_id).look()
    assert page.heading == "The request has lapsed"
    assert page.actions == {"/owner/start"}


async def test_until_the_account_is_closed_it_can_be_withdrawn_and_then_no_more(
    service: Service, owner_of: OwnerOf
) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    async with fault(service, Endpoint.TAKE_HOLD, FaultKind.ERROR, account_id=account_id, status=503):
        await service.confirm(account_id)
        sealing = await owner.look()
        assert (sealing.step, sealing.heading) == ("Closing", "Closing the account")
        assert sealing.actions == {WITHDRAW}
    async with fault(service, Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account_id, status=503):
        page = await owner.until("The account is closed; its data is being deleted")
        assert page.actions == set()
        # From a page that was opened before.
        refused = await owner.send(WITHDRAW, page=sealing)
        assert refused.status == 409
        assert "point of no return" in " ".join(refused.alerts)
    assert (await owner.until("The account is closed")).actions == set()


async def test_a_stalled_deletion_is_told_without_alarm(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    await service.store.add_fault(
        Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account_id, problem="RequestInvalid", status=422
    )
    await service.confirm(account_id)
    owner = owner_of(account_id)
    page = await owner.until("The deletion is on hold; we are on it")
    assert page.find("li", **{"data-deletion": "purge-resources"}).find("span", **{"class": "badge warn"}).text
    assert WITHDRAW not in page.actions
    await service.cancellations.resume_deletion(account_id, "ops-1")
    await owner.until("The account is closed")


async def test_a_withdrawn_request_leaves_the_account_as_it_was(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_notice(service))
    page = await owner.send(WITHDRAW, reason="KEEP_SERVICES")
    assert page.heading == "The request is withdrawn"
    assert "the services are still needed" in page.text
    assert page.actions == {"/owner/start"}


async def test_a_request_by_ticket_is_approved_and_ends_with_the_certificate(
    service: Service, owner_of: OwnerOf
) -> None:
    case = await under_review(service)
    await case.decide(DecisionKind.APPROVE, waived=tuple(w.check for w in (await case.view()).case.waivers_asked))
    page = await owner_of(case.account_id).until("The account is closed")
    assert "Waived by the review: ICP filing" in page.text
