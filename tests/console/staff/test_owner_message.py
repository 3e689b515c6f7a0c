"""What the owner will read of a decision: as the platform words it, and no reason to wait while it does not."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from console.staff import ticket_detail
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from tests.console.staff.pages import decide, ticket_page, words
from tests.support.service import Service, owner_of
from tests.support.tickets import Case, file, under_review

DISPUTE: dict[str, Any] = {"reason_codes": [DecisionReason.DISPUTE_OPEN.value]}
FRAGMENT = {"HX-Request": "true"}
NO_PREVIEW = "No preview just now. You can decide all the same"


@pytest.fixture(params=["down", "hanging up", "answering nonsense", "not answering"])
async def trouble(
    service: Service, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """With the platform's previews, as long as the test lasts."""
    monkeypatch.setattr(ticket_detail, "PATIENCE_SECONDS", 0.2)
    kinds = {
        "down": FaultKind.ERROR,
        "hanging up": FaultKind.DROP,
        "answering nonsense": FaultKind.GARBAGE,
        "not answering": FaultKind.GATE,
    }
    await service.store.add_fault(Endpoint.PREVIEW_NOTIFICATION, kinds[request.param], times=None)
    yield
    await service.store.clear_faults()


async def preview(browser: httpx2.AsyncClient, case: Case, kind: DecisionKind, **more: Any) -> httpx2.Response:
    answer = await browser.post(f"/staff/tickets/{case.ticket_no}/preview", data={"kind": kind, **DISPUTE}, **more)
    assert answer.status_code == 200
    return answer


async def test_what_a_reviewer_sees_is_what_the_owner_is_sent(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    seen = words((await preview(agent, case, DecisionKind.REJECT, headers=FRAGMENT)).text)
    assert (await decide(agent, case, DecisionKind.REJECT, **DISPUTE)).status_code == 303
    sms, email = await case.until_messages(Template.TICKET_REJECTED, 2)
    assert sms.text == email.text
    assert f"{sms.subject} {sms.text}" in seen


async def test_an_approval_is_previewed_with_the_page(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    page = words(await ticket_page(agent, case))
    request_no = (await case.view()).case.request_no
    told = f"Ticket {case.ticket_no} (request {request_no}) has been approved and the account is about to be closed."
    assert told in page
    assert "Choose at least one reason." not in page
    await case.reject()


async def test_without_a_reason_the_preview_asks_for_one(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    address, data = f"/staff/tickets/{case.ticket_no}/preview", {"kind": DecisionKind.REJECT}
    assert "Choose at least one reason." in words((await agent.post(address, data=data, headers=FRAGMENT)).text)
    await case.reject()


@pytest.mark.usefixtures("trouble")
async def test_without_a_preview_the_page_says_so_and_the_decision_counts(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    page = await ticket_page(agent, case)
    assert NO_PREVIEW in words(page)
    assert NO_PREVIEW in words((await preview(agent, case, DecisionKind.REJECT)).text)
    chinese = await preview(agent, case, DecisionKind.REJECT, headers=FRAGMENT, params={"lang": "zh-CN"})
    assert "暂时无法预览。不影响审核" in words(chinese.text)
    answer = await decide(agent, case, DecisionKind.REJECT, html=page, **DISPUTE)
    assert answer.status_code == 303
    await case.until_review(ReviewStatus.REJECTED)


@pytest.mark.parametrize(
    ("locale", "kind", "told"),
    [
        (Locale.EN, DecisionKind.REJECT, "was not approved. Reasons: a dispute is open. You may apply again"),
        (Locale.ZH, DecisionKind.REJECT, "未通过审核，原因：存在未了结的纠纷。您可"),
        (Locale.ZH, DecisionKind.REQUEST_MATERIALS, "需要补充材料：存在未了结的纠纷。"),
    ],
)
async def test_the_preview_is_in_the_owners_language(
    agent: httpx2.AsyncClient, service: Service, locale: Locale, kind: DecisionKind, told: str
) -> None:
    case = await under_review_in(service, locale)
    page = await agent.post(f"/staff/tickets/{case.ticket_no}/preview", data={"kind": kind, "note": "keep", **DISPUTE})
    assert page.status_code == 200
    assert told in words(page.text)
    assert "keep" in page.text
    fragment = await agent.post(
        f"/staff/tickets/{case.ticket_no}/preview", data={"kind": kind, **DISPUTE}, headers={"HX-Request": "true"}
    )
    assert told in words(fragment.text)
    assert "<html" not in fragment.text
    assert (await case.view()).decisions == ()
    await case.reject()


async def under_review_in(service: Service, locale: Locale) -> Case:
    """A case whose owner speaks this language."""
    account_id = await service.account(icp_applications_ever=1)
    await service.cancellations.start(account_id, f"owner-of-{account_id}", locale=locale)
    await service.identify(account_id)

    notice = CURRENT_NOTICE[locale]
    await service.cancellations.accept_notice(account_id, notice.version, notice.sha256, owner_of(account_id))
    await service.in_phase(account_id, Phase.BLOCKED)
    case = await file(service, account_id)
    await case.clock()
    return case
