"""Manual requests: filed by a backend, worked on by staff, and nobody's contacts anywhere else."""

from contextlib import suppress
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.service import RPCError

from console.auth.roles import Role
from domain.accounts import RealNameType
from domain.checks import Check
from domain.errors import ErrorType
from domain.letters import LetterType
from domain.locale import Locale
from domain.messages import DecisionRefused
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, IgnoredBecause, MissingPart, ReviewStatus
from service.letters.problems import MAX_BYTES, LetterProblem
from tests.console.api.conftest import Api, refused
from tests.service.letters.making import SEAL, pdf, pdf_with, scan
from tests.support.service import eventually
from tests.support.tickets import Case, blocked, under_review

NOTICE = CURRENT_NOTICE[Locale.EN]
EMAIL, PHONE = "zhang.san@example.com", "138 0013 8000"
FORM = {
    "contact_email": EMAIL,
    "contact_phone": PHONE,
    "notice_version": NOTICE.version,
    "notice_sha256": NOTICE.sha256,
}
NOTHING = {"revision_sha256": "0" * 64, "report_digest": "0" * 64}
STATED = {**FORM, "statement_accepted": "true"}


async def enterprise(api: Api) -> str:
    return await blocked(api.service, icp_applications_ever=1, real_name_type=RealNameType.ENTERPRISE)


async def shown(api: Api, account: str) -> dict[str, str]:
    """The report that the owner was shown, as a filing names it."""
    report = (await api.backend.get(f"/cancellations/{account}")).json()["report"]
    return {"report_digest": report["digest"]} if report else {}


async def file(
    api: Api, account: str, form: dict[str, str], letter: bytes | None = None, **headers: str
) -> httpx2.Response:
    # Always multipart, with a letter or without.
    form = {**await shown(api, account), **form}
    files: list[tuple[str, Any]] = [(name, (None, value)) for name, value in form.items()]
    if letter is not None:
        files.append(("letter", ("同意书.pdf", letter, "application/octet-stream")))
    return await api.backend.post(f"/cancellations/{account}/tickets", files=files, headers=headers)


async def looked_at(api: Api, ticket_no: str) -> dict[str, str]:
    """What a reviewer sees now, as a decision names it."""
    case = (await api.agent.get(f"/tickets/{ticket_no}")).json()["review"]["case"]
    return {"revision_sha256": case["ticket"]["sha256"], "report_digest": case["report"]["digest"]}


async def decide(api: Api, ticket_no: str, kind: DecisionKind, **decision: Any) -> httpx2.Response:
    seen = {} if "report_digest" in decision else await looked_at(api, ticket_no)
    body = {"kind": kind, "decision_id": f"D-{uuid4().hex[:12]}", **seen, **decision}
    return await api.agent.post(f"/tickets/{ticket_no}/decisions", json=body)


@pytest.mark.parametrize(
    ("letter", "media_type", "pages"),
    [(pdf(2), LetterType.PDF, 2), (scan("JPEG"), LetterType.JPEG, 1), (pdf_with(SEAL), LetterType.PDF, 1)],
    ids=["PDF", "JPEG", "signed PDF"],
)
async def test_an_enterprises_ticket_comes_with_its_letter_which_staff_get_cleaned(
    letter: bytes, media_type: LetterType, pages: int, api: Api
) -> None:
    filed = await file(api, await enterprise(api), FORM, letter)
    assert (filed.status_code, filed.json()["phase"]) == (200, Phase.UNDER_REVIEW)
    ticket_no = filed.json()["review"]["ticket"]["ticket_no"]
    for staff in (api.agent, api.auditor):
        told = (await staff.get(f"/tickets/{ticket_no}")).json()["form"]["letter"]
        assert (told["pages"], told["original"]["media_type"]) == (pages, media_type)
        signature = {"check": "NOT_VERIFIED", "signers": []} if letter == pdf_with(SEAL) else None
        assert told["signature"] == signature
        found = await staff.get(f"/tickets/{ticket_no}/letter")
        assert found.content != letter
        assert sha256(found.content).hexdigest() == told["sha256"] != told["original"]["sha256"]
        assert found.headers["Content-Type"] == LetterType.PDF
        assert found.headers["Content-Disposition"] == f'attachment; filename="{ticket_no}-r1-letter.pdf"'
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Cache-Control"] == "no-store"


async def test_a_ticket_goes_from_filing_over_materials_to_approval(api: Api) -> None:
    account = await blocked(api.service)
    filed = await file(api, account, STATED)
    ticket_no = filed.json()["review"]["ticket"]["ticket_no"]

    seen = (await api.agent.get(f"/tickets/{ticket_no}")).json()
    assert seen["form"]["contact_email"] == EMAIL
    assert seen["form"]["contact_phone"] == "+8613800138000"
    assert seen["review"]["case"]["account_id"] == account
    refused(await api.agent.get(f"/tickets/{ticket_no}/letter"), ErrorType.NOT_FOUND)

    asked = await decide(
        api, ticket_no, DecisionKind.REQUEST_MATERIALS, reason_codes=[DecisionReason.CONTACT_UNREACHABLE]
    )
    assert asked.json() == {"ticket_no": ticket_no, "status": ReviewStatus.AWAITING_MATERIALS, "late": False}
    await api.service.in_phase(account, Phase.AWAITING_MATERIALS)
    materials = {**FORM, "contact_email": "li.si@example.com"}
    del materials["contact_phone"]
    at = f"/cancellations/{account}/tickets/{ticket_no}/materials"
    files = [(name, (None, value)) for name, value in materials.items()]
    refused(await api.backend.post(at.replace(ticket_no, "T-other"), files=files), ErrorType.NOT_FOUND)
    supplied = await api.backend.post(at, files=[*files, ("letter", ("letter.pdf", pdf(), "application/pdf"))])
    assert supplied.json()["review"]["ticket"]["revision"] == 2

    async def latest() -> dict[str, Any]:
        form: dict[str, Any] = (await api.agent.get(f"/tickets/{ticket_no}")).json()["form"]
        return form

    form = await eventually(latest, lambda form: form["revision"] == 2)
    assert (form["contact_email"], form["contact_phone"]) == ("li.si@example.com", "+8613800138000")
    assert (await api.agent.get(f"/tickets/{ticket_no}/letter")).content.startswith(b"%PDF-")

    approved = await decide(api, ticket_no, DecisionKind.APPROVE, waived=[Check.ICP_FILING])
    assert approved.json()["status"] == ReviewStatus.APPROVED
    await api.service.in_phase(account, Phase.CLOSED)


async def test_a_decision_bears_the_tokens_subject_and_its_note_lies_in_the_vault(api: Api) -> None:
    case = await under_review(api.service)
    note = "张三来电：公章不清晰。"
    async with api.client(Role.LEAD, "lead-9") as lead:
        body = {"kind": "reject", "decision_id": f"D-{uuid4()}", "reason_codes": ["SEE_NOTE"], "note": note}
        body |= await looked_at(api, case.ticket_no)
        assert (await lead.post(f"/tickets/{case.ticket_no}/decisions", json=body)).status_code == 200
        for operator in ("somebody-else", "lead-9"):
            refused(
                await lead.post(f"/tickets/{case.ticket_no}/decisions", json={**body, "operator_id": operator}),
                ErrorType.BAD_INPUT,
            )
    review = (await api.agent.get(f"/tickets/{case.ticket_no}")).json()["review"]
    [recorded] = review["decisions"]
    assert recorded["decision"]["operator_id"] == "lead-9"
    assert note not in str(review)
    note_ref = recorded["decision"]["note_ref"]
    assert await api.console.app.state.services.tickets.read_note(case.ticket_no, note_ref) == note


async def test_a_decision_sent_again_gets_the_first_answer_and_the_second_who_decides_is_told_who_was_first(
    api: Api,
) -> None:
    case = await under_review(api.service)
    once = {"decision_id": f"D-{uuid4()}", "reason_codes": ["DISPUTE_OPEN"]}
    first = await decide(api, case.ticket_no, DecisionKind.REJECT, **once)
    assert (await decide(api, case.ticket_no, DecisionKind.REJECT, **once)).json() == first.json()
    async with api.client(Role.AGENT, "agent-2") as second:
        body = {"kind": "approve", "decision_id": f"D-{uuid4()}", "waived": ["ICP_FILING"]}
        body |= await looked_at(api, case.ticket_no)
        problem = refused(
            await second.post(f"/tickets/{case.ticket_no}/decisions", json=body), ErrorType.DECISION_REFUSED
        )
    assert (problem["because"], problem["decided_by"]) == (IgnoredBecause.ALREADY_DECIDED, "agent-1")
    assert problem["review_status"] == ReviewStatus.REJECTED
    assert {"because", "decided_by", "status"} == set(DecisionRefused.model_fields)


async def test_the_note_of_a_decision_that_does_not_count_is_not_kept(api: Api) -> None:
    case = await under_review(api.service)
    await decide(api, case.ticket_no, DecisionKind.REJECT, reason_codes=["SEE_NOTE"], note="counts")
    late = await decide(api, case.ticket_no, DecisionKind.REJECT, reason_codes=["SEE_NOTE"], note="does not count")
    refused(late, ErrorType.DECISION_REFUSED)
    assert len(await api.service.vault.list(f"tickets/{case.ticket_no}/notes")) == 1


async def test_who_asked_for_the_cancellation_cannot_approve_it(api: Api) -> None:
    case = await under_review(api.service)
    async with api.client(Role.AGENT, f"owner-of-{case.account_id}") as owner:
        body = {"kind": "approve", "decision_id": f"D-{uuid4()}", "waived": ["ICP_FILING"]}
        body |= await looked_at(api, case.ticket_no)
        problem = refused(
            await owner.post(f"/tickets/{case.ticket_no}/decisions", json=body), ErrorType.DECISION_REFUSED
        )
    assert problem["because"] == IgnoredBecause.SELF_APPROVAL


async def test_a_note_for_no_ticket_is_not_kept(api: Api) -> None:
    answer = await decide(api, "T-nobodys", DecisionKind.REJECT, reason_codes=["SEE_NOTE"], note="text", **NOTHING)
    refused(answer, ErrorType.NOT_FOUND)
    assert await api.service.vault.list("tickets/T-nobodys") == []


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [("contact_email", None), ("contact_phone", None), ("statement_accepted", MissingPart.STATEMENT)],
)
async def test_an_incomplete_ticket_is_refused(left_out: str, missing: MissingPart | None, api: Api) -> None:
    account = await blocked(api.service)
    form = {name: value for name, value in STATED.items() if name != left_out}
    answer = await file(api, account, form)
    if missing is None:
        assert refused(answer, ErrorType.BAD_INPUT)["errors"][0]["at"] == f"body.{left_out}"
    else:
        assert refused(answer, ErrorType.TICKET_INCOMPLETE)["missing"] == [missing]


@pytest.mark.parametrize(
    ("letter", "because"),
    [
        (b"", LetterProblem.EMPTY),
        (scan("GIF"), LetterProblem.NOT_A_LETTER),
        (b"%PDF-1.7 garbage", LetterProblem.CANNOT_BE_RENDERED),
        (pdf() + bytes(MAX_BYTES), LetterProblem.TOO_LARGE),
    ],
    ids=["empty", "a GIF", "garbage", "too large"],
)
async def test_a_letter_that_is_none_is_refused(letter: bytes, because: LetterProblem, api: Api) -> None:
    account = await enterprise(api)
    assert refused(await file(api, account, FORM, letter), ErrorType.LETTER_REFUSED)["because"] == because
    assert refused(await file(api, account, FORM), ErrorType.TICKET_INCOMPLETE)["missing"] == ["STAMPED_LETTER"]


async def test_a_body_beyond_all_measure_is_cut_off(api: Api) -> None:
    account = await enterprise(api)
    refused(await file(api, account, FORM, bytes(MAX_BYTES + 200_000)), ErrorType.TOO_LARGE)


async def test_forms_with_what_does_not_belong_there_are_refused(api: Api) -> None:
    account = await blocked(api.service)
    at = f"/cancellations/{account}/tickets"
    form = {**STATED, **await shown(api, account)}
    complete: list[tuple[str, Any]] = [(name, (None, value)) for name, value in form.items()]
    for extra in (
        ("real_name_type", (None, "NONE")),
        ("filed_by", (None, "user-43")),
        ("contact_email", ("a.txt", b"x", "text/plain")),
        ("letter", (None, "no file")),
    ):
        refused(await api.backend.post(at, files=[*complete, extra]), ErrorType.BAD_INPUT)
    assert (await api.backend.get(f"/cancellations/{account}")).json()["phase"] == Phase.BLOCKED


async def test_a_ticket_that_cannot_be_filed_now_leaves_nothing_in_the_vault(api: Api) -> None:
    case = await under_review(api.service)
    before = await api.service.vault.list("tickets")
    refused(await file(api, case.account_id, STATED), ErrorType.WRONG_PHASE)
    files = [(name, (None, value)) for name, value in FORM.items()]
    at = f"/cancellations/{case.account_id}/tickets/{case.ticket_no}/materials"
    refused(await api.backend.post(at, files=files), ErrorType.WRONG_PHASE)
    assert await api.service.vault.list("tickets") == before


async def test_a_ticket_is_no_way_round_a_verified_channel_and_leaves_nothing_in_the_vault(api: Api) -> None:
    account = await api.service.account()
    await api.service.start(account)
    before = await api.service.vault.list("tickets")
    refused(await file(api, account, {**STATED, "report_digest": "0" * 64}), ErrorType.WRONG_PHASE)
    assert await api.service.vault.list("tickets") == before


async def test_contacts_are_shown_to_staff_alone_and_stand_in_no_log(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    account = await blocked(api.service)
    answers = [
        await file(api, account, {**STATED, "notice_sha256": "x"}),
        await file(api, account, {**STATED, "contact_phone": f"{PHONE} or so"}),
        await file(api, account, STATED),
        await api.backend.get(f"/cancellations/{account}"),
    ]
    ticket_no = answers[-1].json()["review"]["ticket"]["ticket_no"]
    seen = await looked_at(api, ticket_no)
    answers += [
        await api.agent.get("/tickets"),
        await api.backend.get(f"/tickets/{ticket_no}"),
        await decide(api, ticket_no, DecisionKind.REJECT, reason_codes=["SEE_NOTE"], note=f"{EMAIL} {PHONE}", **seen),
        await api.backend.get(f"/cancellations/{account}"),
    ]
    told = "".join(answer.text for answer in answers) + "".join(capsys.readouterr()) + caplog.text
    assert ticket_no in told
    for contact in (EMAIL, PHONE, "8613800138000", "zhang"):
        assert contact not in told


# The queue


@pytest.fixture
async def three(api: Api) -> list[Case]:
    """The whole queue: what other tests have left open in it is ended."""
    client = api.service.client
    async for left in client.list_workflows("WorkflowType = 'TicketReview' AND ExecutionStatus = 'Running'"):
        with suppress(RPCError):  # visibility is a moment behind
            await client.get_workflow_handle(left.id).terminate("by a test")
    return [await under_review(api.service) for _ in range(3)]


async def listed(api: Api, **wanted: Any) -> tuple[list[dict[str, Any]], str | None]:
    answer = await api.auditor.get("/tickets", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["tickets"], answer.json()["next_cursor"]


async def walked(api: Api, **wanted: Any) -> list[dict[str, Any]]:
    """Every ticket, page by page."""
    found, cursor = await listed(api, **wanted)
    while cursor:
        more, cursor = await listed(api, **wanted, cursor=cursor)
        found += more
    return found


async def test_the_queue_is_walked_page_by_page_in_the_order_of_deadlines(api: Api, three: list[Case]) -> None:
    numbers = sorted(case.ticket_no for case in three)
    await eventually(
        lambda: walked(api, limit=200), lambda all: numbers == sorted(ticket["ticket_no"] for ticket in all)
    )
    tickets = await walked(api, limit=2)
    assert sorted(ticket["ticket_no"] for ticket in tickets) == numbers
    due = [ticket["due_at"] for ticket in tickets if ticket["status"] == ReviewStatus.UNDER_REVIEW and ticket["due_at"]]
    assert due == sorted(due)


async def test_the_buckets_tell_how_many_and_each_can_be_read_alone(api: Api, three: list[Case]) -> None:
    numbers = {case.ticket_no for case in three}
    await eventually(lambda: walked(api), lambda all: numbers <= {ticket["ticket_no"] for ticket in all})

    async def told_and_read() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        buckets = (await api.agent.get("/ticket-buckets")).json()["buckets"]
        return [(bucket, await walked(api, bucket=bucket["key"], limit=2)) for bucket in buckets]

    # What was just ended leaves the queue a moment later.
    queue = await eventually(told_and_read, lambda all: {len(read) - told["count"] for told, read in all} == {0})
    assert queue[0][0]["kind"] == "LATE"
    for told, read in queue:
        assert {ticket["due_at"] for ticket in read} <= {told["due_at"]} or told["due_at"] is None


async def test_the_queue_can_be_narrowed(api: Api, three: list[Case]) -> None:
    numbers = {case.ticket_no for case in three}
    wanted = {"real_name_type": "INDIVIDUAL", "reason": "ICP_FILING_EVER_APPLIED"}
    found = await eventually(
        lambda: walked(api, **wanted), lambda all: numbers <= {ticket["ticket_no"] for ticket in all}
    )
    assert {ticket["real_name_type"] for ticket in found} == {"INDIVIDUAL"}
    others = await walked(api, real_name_type="ENTERPRISE")
    assert not numbers & {ticket["ticket_no"] for ticket in others}


@pytest.mark.parametrize(
    ("wanted", "type"),
    [
        ({"bucket": "DUE-1999-01-01"}, ErrorType.NOT_FOUND),
        ({"cursor": "bm8gc3VjaA=="}, ErrorType.NOT_FOUND),
        ({"cursor": "ü"}, ErrorType.NOT_FOUND),
        ({"limit": 0}, ErrorType.BAD_INPUT),
        ({"limit": 201}, ErrorType.BAD_INPUT),
        ({"reason": "WEATHER"}, ErrorType.BAD_INPUT),
        ({"sort": "name"}, ErrorType.BAD_INPUT),
    ],
    ids=str,
)
async def test_a_list_that_cannot_be_is_refused(wanted: dict[str, Any], type: ErrorType, api: Api) -> None:
    refused(await api.agent.get("/tickets", params=wanted), type)
