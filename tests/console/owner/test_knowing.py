"""Whatever a request knows is on its owner's page, in words, in both languages."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from console.auth.roles import Role
from domain.accounts import RealNameType, RefusalReason
from domain.checks import ENTITLEMENTS, Check, Entitlement, EntitlementKind, Figure
from domain.deletion import (
    DELETION_STAGES,
    DeletionPhase,
    DeletionStatus,
    DeletionView,
    StalledPhase,
    StuckPhase,
    Verification,
)
from domain.errors import ErrorType
from domain.locale import Locale
from domain.model import VaultRef
from domain.phases import OUTCOMES, Phase
from domain.standing import Changes, ReviewEnd, RunEnd, SealingTrouble
from domain.tickets import ReviewStatus
from i18n.formatting import time
from i18n.texts import text
from service.base import described
from service.cancellation_service import CancellationService
from simulator.kinds import Endpoint, FaultKind
from tests.console.conftest import Console
from tests.console.owner.pages import Owner, Page
from tests.console.owner.test_pages import ALWAYS_CHINESE, CHINESE
from tests.support.service import Service, eventually
from tests.support.tickets import (
    MARGIN,
    awaiting_confirmation,
    awaiting_identity,
    blocked,
    fault,
    skip_to,
    under_review,
)

OwnerOf = Callable[[str], Owner]
AsIf = Callable[..., Awaitable[Page]]

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
LISTED = VaultRef(path="reports/list.json", sha256="0" * 64)
VOUCHERS = tuple(
    Entitlement(entitlement_id=f"V-{n}", kind=EntitlementKind.VOUCHER, value_fen=100) for n in range(1, 21)
)


@pytest.fixture
def as_if(service: Service, console: Console, monkeypatch: pytest.MonkeyPatch) -> AsIf:
    """An account's page, as if its request were `changes` away from what it is; neither language is in the other."""

    async def look(
        account_id: str,
        locale: Locale,
        *,
        path: str = "/owner",
        deletion: DeletionView | None = None,
        **changes: Any,
    ) -> Page:
        view = (await service.cancellations.view(account_id)).model_copy(update=changes)

        async def view_as_if(self: CancellationService, account_id: str) -> Any:
            return view

        async def deletion_as_if(self: CancellationService, account_id: str) -> Any:
            assert deletion is not None, "nobody has to ask for it"
            return deletion

        with monkeypatch.context() as patch:
            patch.setattr(CancellationService, "view", view_as_if)
            patch.setattr(CancellationService, "deletion", deletion_as_if)
            owner = Owner(console.owner(account_id))
            owner.browser.headers["Accept-Language"] = locale
            page = await owner.look(path)
        assert page.status == 200
        for callout in page.find("main").find_all("div"):
            if "callout" in callout.attributes.get("class", ""):
                assert bool(CHINESE.search(_without_names(callout.text))) == (locale is Locale.ZH), callout.text
        if locale is Locale.EN:
            assert not CHINESE.search(_without_names(page.find("main").text)), page.find("main").text
        return page

    return look


def _without_names(words: str) -> str:
    for known in ALWAYS_CHINESE:
        words = words.replace(known, "")
    return words


def said(page: Page) -> str:
    return page.find("main").text


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


# Sent back from the sealing


async def test_what_changed_under_the_hold_is_named(service: Service, as_if: AsIf) -> None:
    unverified = await service.account(channels="")
    await service.start(unverified)
    await service.in_phase(unverified, Phase.AWAITING_IDENTITY)
    changed = Changes(
        checks=tuple(Check),
        entitlements=VOUCHERS[:2],
        entitlements_added=7,
        real_name_type=RealNameType.ENTERPRISE,
        could_not_tell=(*Check, ENTITLEMENTS),
    )
    for account_id, locale in product((await blocked(service), unverified), Locale):
        page = await as_if(account_id, locale, changed=changed)
        callout = page.find("div", **{"data-changed": ""}).text
        for check in Check:
            assert callout.count(text(check, locale).title) >= 2
        assert "V-1" in callout
        assert {Locale.EN: "and 5 more", Locale.ZH: "另有 5 项"}[locale] in callout
        assert text(RealNameType.ENTERPRISE, locale).title in callout
        assert {Locale.EN: "not your fault", Locale.ZH: "不是您的问题"}[locale] in callout
        assert {Locale.EN: "what you would give up", Locale.ZH: "将放弃的权益"}[locale] in callout


async def test_a_change_is_named_on_the_page_that_the_owner_is_sent_back_to(
    service: Service, owner_of: OwnerOf
) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    confirm = await owner.look("/owner/confirm")
    await service.store.set_facts(account_id, icp_applications_ever=1)
    await owner.send("/owner/confirm", page=confirm, typed_account=account_id)
    page = await owner.until("It cannot be closed yet")
    assert "ICP filing" in page.find("div", **{"data-changed": ""}).text


@pytest.mark.parametrize("locale", Locale)
async def test_why_the_platform_did_not_close_is_told(service: Service, as_if: AsIf, locale: Locale) -> None:
    account_id = await blocked(service)
    for code in (*RefusalReason, *ErrorType, "SomethingNew"):
        assert str(code) in said(await as_if(account_id, locale, seal_refused=code))
    page = await as_if(account_id, locale, seal_refused=RefusalReason.RESTRICTED)
    assert text(RefusalReason.RESTRICTED, locale).advice in said(page)


@pytest.mark.parametrize(("locale", "ended"), [*product(Locale, ReviewEnd)])
async def test_why_a_review_ended_without_decision_is_told(
    service: Service, as_if: AsIf, locale: Locale, ended: ReviewEnd
) -> None:
    page = await as_if(await blocked(service), locale, review_ended=ended)
    assert capital(text(ended, locale).title) in said(page)
    assert text(ended, locale).advice in said(page)


async def test_an_approval_that_is_too_old_is_said_to_be(service: Service, as_if: AsIf) -> None:
    case = await under_review(service)
    review = (await service.cancellations.view(case.account_id)).review
    assert review is not None
    approved = review.model_copy(update={"status": ReviewStatus.APPROVED})
    await service.withdraw(case.account_id)
    for locale in Locale:
        page = await as_if(await blocked(service), locale, review=approved)
        assert {Locale.EN: "has expired", Locale.ZH: "已过有效期"}[locale] in said(page)


# While it works


@pytest.mark.parametrize(("locale", "stuck"), [*product(Locale, (False, True))])
async def test_what_holds_up_the_sealing_is_told_and_that_it_goes_on_trying(
    service: Service, as_if: AsIf, locale: Locale, stuck: bool
) -> None:
    trouble = SealingTrouble(error_type=ErrorType.SERVICE_UNAVAILABLE, attempts=4, since=NOW, stuck=stuck)
    account_id = await awaiting_confirmation(service)
    page = await as_if(account_id, locale, phase=Phase.SEALING, sealing_trouble=trouble)
    callout = page.find("div", **{"data-problem": "stuck" if stuck else "trying"}).text
    assert {Locale.EN: "We keep retrying", Locale.ZH: "系统在自动重试"}[locale] in callout
    assert ({Locale.EN: "engineers have been told", Locale.ZH: "工程师已收到通知"}[locale] in callout) == stuck
    assert time(NOW, locale) in callout


@pytest.mark.parametrize("locale", Locale)
async def test_a_deletion_that_is_stuck_or_stalled_says_where(service: Service, as_if: AsIf, locale: Locale) -> None:
    account_id = await awaiting_confirmation(service)
    request_no = (await service.cancellations.view(account_id)).request_no
    for phase in (*DeletionPhase, *Verification):
        stuck = StuckPhase(phase=phase, error_type=ErrorType.UNREACHABLE, attempts=9, since=NOW)
        view = DeletionView(account_id=account_id, request_no=request_no, status=DeletionStatus.STUCK, stuck=(stuck,))
        page = await as_if(account_id, locale, phase=Phase.DELETING, deletion=view)
        row = page.find("li", **{"data-deletion": phase}).text
        assert capital(text(phase, locale).title) in row
        assert {Locale.EN: "still retrying", Locale.ZH: "仍在重试"}[locale] in row
        stalled = StalledPhase(phase=phase, error_type=ErrorType.REQUEST_INVALID, since=NOW)
        view = view.model_copy(update={"status": DeletionStatus.STALLED, "stuck": (), "stalled": (stalled,)})
        page = await as_if(account_id, locale, phase=Phase.DELETION_STALLED, deletion=view)
        assert {Locale.EN: "on hold", Locale.ZH: "暂停"}[locale] in page.find("li", **{"data-deletion": phase}).text
        rows = [row for row in page.find_all("li") if row.attributes.get("data-deletion") in set(DeletionPhase)]
        assert len(rows) == sum(map(len, DELETION_STAGES))


@pytest.mark.parametrize("locale", Locale)
async def test_a_deletion_without_its_dossier_waits_and_says_so(service: Service, as_if: AsIf, locale: Locale) -> None:
    account_id = await awaiting_confirmation(service)
    page = await as_if(
        account_id, locale, phase=Phase.DELETION_STALLED, stalled=ErrorType.VAULT_RECORD_MISSING, deletion=None
    )
    assert ErrorType.VAULT_RECORD_MISSING in page.find("div", **{"data-problem": "stalled"}).text
    assert not page.alerts


# Ended from outside


@pytest.mark.parametrize(("locale", "ended"), [*product(Locale, RunEnd)])
async def test_a_request_that_was_ended_shows_no_step_but_to_start_again(
    service: Service, as_if: AsIf, locale: Locale, ended: RunEnd
) -> None:
    account_id = await awaiting_identity(service)
    for phase in set(Phase) - OUTCOMES:
        page = await as_if(
            account_id, locale, phase=phase, run_ended=ended, withdrawable=False, due_step=None, lapses_at=None
        )
        assert page.actions == {"/owner/start"}
        assert page.step is None
        assert capital(text(ended, locale).title) in said(page)
        assert "hx-get" not in page.answer.text
        for path in ("/owner/ticket", "/owner/confirm", "/owner/certificate"):
            assert path not in page.links


async def test_after_a_terminate_an_owner_starts_again(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    owner = owner_of(account_id)
    before = await owner.look()
    ticket = await owner.look("/owner/ticket")
    await service.request(account_id).terminate("by a test")
    page = await owner.look()
    assert page.heading == "The request was interrupted"
    assert "not closed by this" in said(page)
    assert (await owner.browser.get("/owner/ticket")).status_code == 303
    # From pages that were opened before.
    for action, old in (("/owner/recheck", before), ("/owner/withdraw", before), ("/owner/ticket", ticket)):
        assert (await owner.send(action, page=old)).heading == "The request was interrupted"
    assert (await owner.send("/owner/start")).heading == "Verify it's you"


async def test_a_deletion_whose_request_was_ended_goes_on_when_it_is_started_again(
    service: Service, owner_of: OwnerOf
) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    async with fault(service, Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account_id, status=503):
        await service.confirm(account_id)
        await service.in_phase(account_id, Phase.DELETING)
        # A moment later than the phase: who is terminated before has begun no deletion.
        await eventually(lambda: described(service.deletion(account_id)), bool)
        await service.request(account_id).terminate("by a test")
        page = await owner.look()
        assert "the deletion goes on" in said(page)
        await owner.send("/owner/start")
    assert (await owner.until("The account is closed")).actions == set()


async def test_a_later_start_of_a_closed_account_finds_its_certificate(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    await service.confirm(account_id)
    closed = await service.in_phase(account_id, Phase.CLOSED)
    await service.request(account_id).result()
    again = await service.start(account_id)
    assert (again.phase, again.request_no) == (Phase.CLOSED, closed.request_no)
    owner = owner_of(account_id)
    page = await owner.look()
    assert page.heading == "The account is closed"
    assert closed.request_no in (await owner.look("/owner/certificate")).text


# Lists that are cut


@pytest.mark.parametrize("locale", Locale)
async def test_a_list_that_is_cut_says_how_many_more_there_are(service: Service, as_if: AsIf, locale: Locale) -> None:
    account_id = await awaiting_confirmation(service)
    report = (await service.cancellations.view(account_id)).report
    assert report is not None
    assert report.entitlements is not None
    many = report.entitlements.model_copy(update={"items": VOUCHERS, "count": 31, "total_fen": 3_100, "listed": LISTED})
    page = await as_if(
        account_id, locale, path="/owner/confirm", report=report.model_copy(update={"entitlements": many})
    )
    assert {Locale.EN: "And 11 more; 31 in all.", Locale.ZH: "另有 11 项，合计 31 项。"}[locale] in said(page)
    assert "¥31.00" in said(page)

    account_id = await blocked(service, None, **{"resources.vm": 3})
    report = (await service.cancellations.view(account_id)).report
    assert report is not None
    outcomes = [
        o
        if o.check is not Check.RESOURCES
        else o.model_copy(update={"listed": LISTED, "figures": {Figure.ACTIVE_RESOURCES: 9}})
        for o in report.outcomes
    ]
    page = await as_if(account_id, locale, report=report.model_copy(update={"outcomes": tuple(outcomes)}))
    assert {Locale.EN: "and 6 more", Locale.ZH: "另有 6 项未列出"}[locale] in page.row("RESOURCES").text


# Until when


async def test_until_when_what_counts_is_told(service: Service, owner_of: OwnerOf) -> None:
    page = await owner_of(await service.account()).look()
    assert "lasts 90 days at most" in said(page)
    account_id = await awaiting_confirmation(service)
    view = await service.cancellations.view(account_id)
    page = await owner_of(account_id).look()
    assert f"This request ends by {time(view.ends_by, Locale.EN)}" in page.text
    assert view.identity_expires_at is not None
    assert f"Your identity is verified until {time(view.identity_expires_at, Locale.EN)}" in said(page)


async def test_until_when_an_approval_counts_is_told(service: Service, as_if: AsIf) -> None:
    case = await under_review(service)
    report = (await service.cancellations.view(case.account_id)).report
    assert report is not None
    waivers = report.waivers_needed()
    account_id = await awaiting_confirmation(service)
    for locale in Locale:
        page = await as_if(account_id, locale, waivers=waivers, approval_expires_at=NOW)
        assert time(NOW, locale) in said(page)
    await case.reject()


# What cannot be done now


async def test_identity_that_is_somebody_elses_is_asked_for_again_with_the_reason(
    service: Service, console: Console
) -> None:
    account_id = await awaiting_confirmation(service)
    other = Owner(console.signed_in(Role.OWNER, subject="somebody-else", account_id=account_id))
    confirm = await other.look("/owner/confirm")
    page = await other.send("/owner/confirm", page=confirm, typed_account=account_id)
    assert (page.status, page.heading) == (409, "Verify it's you")
    assert "Verify it again, then confirm." in " ".join(page.alerts)
    assert "/owner/code" in page.actions


async def test_identity_that_is_too_old_is_asked_for_again(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    confirm = await owner.look("/owner/confirm")
    expires_at = (await service.cancellations.view(account_id)).identity_expires_at
    assert expires_at is not None
    await skip_to(service, service.request(account_id), expires_at + MARGIN)
    page = await owner.send("/owner/confirm", page=confirm, typed_account=account_id)
    assert (page.status, page.heading) == (409, "Verify it's you")


@pytest.mark.parametrize("language", Locale)
async def test_what_cannot_be_done_now_says_from_when_on(service: Service, owner_of: OwnerOf, language: Locale) -> None:
    account_id = await service.account(icp_applications_ever=1)
    await service.to_report(account_id, rechecks_per_hour=1, check_limit=timedelta(seconds=1))
    owner = owner_of(account_id)
    owner.browser.headers["Accept-Language"] = language
    await service.recheck(account_id)
    page = await owner.look("/owner/ticket")
    await service.store.set_facts(account_id, icp_applications_ever=2)
    refused = await owner.browser.post("/owner/code", data={"channel": "PHONE"})
    assert refused.status_code == 303
    async with fault(service, Endpoint.ICP_FILINGS, FaultKind.ERROR, status=503):
        form = {**page.fields("/owner/ticket"), "contact_email": "a@example.com", "contact_phone": "13800138000"}
        told = Page(await owner.browser.post("/owner/ticket", data={**form, "statement": "true"}))
    assert told.status == 503
    assert int(told.answer.headers["Retry-After"]) > 0
    assert {Locale.EN: "not your fault", Locale.ZH: "不是您的问题"}[language] in " ".join(told.alerts)


async def test_the_owners_pages_say_that_they_are_the_console(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    await owner_of(account_id).send("/owner/start")
    handle: WorkflowHandle[Any, Any] = service.request(account_id)
    [begun] = [
        event
        async for event in handle.fetch_history_events()
        if event.HasField("workflow_execution_started_event_attributes")
    ]
    given = begun.workflow_execution_started_event_attributes.input.payloads[0].data
    assert re.search(rb'"requested_via":"CONSOLE"', given)
