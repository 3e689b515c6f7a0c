"""The manual route: who may file a ticket, what it must carry, and what becomes of it."""

from datetime import timedelta

import pytest
from temporalio.service import RPCError

from domain.accounts import AccountStatus, RealNameType
from domain.checks import Check, Figure, Verdict
from domain.deletion import Dossier, IdentityMethod
from domain.errors import ErrorType
from domain.messages import Route
from domain.notices import CURRENT_VERSION
from domain.notifications import Template
from domain.phases import Phase, Step
from domain.tickets import (
    DecisionKind,
    DecisionReason,
    IgnoredBecause,
    MissingPart,
    ReviewStatus,
    Statement,
    TicketRef,
)
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import (
    STATEMENT,
    Case,
    assert_replays,
    blocked,
    fault,
    file,
    file_in_vault,
    next_revision,
    put_unchecked,
    refusal,
    refused_type,
    under_review,
)


async def dossier_of(case: Case) -> Dossier:
    """What the request sealed, by way of its certificate."""
    result = await case.request.result()
    assert result.outcome is Phase.CLOSED
    certificate = await case.service.cancellations.certificate(result.request_no)
    return await case.service.vault.read(certificate.previous, Dossier)


# Routes to the end


async def test_an_enterprise_gives_up_a_filing_and_a_balance_by_letter(service: Service) -> None:
    facts: dict[str, int | str] = {"real_name_type": "ENTERPRISE", "icp_applications_ever": 1, "offline_fen": 20_000}
    account = await blocked(service, **facts)
    case = await file(service, account, await file_in_vault(service, account, RealNameType.ENTERPRISE))
    view = await service.cancellations.view(account)
    assert (view.route, view.due_step, view.lapses_at) == (Route.MANUAL, None, None)

    answer = await case.approve(waived=(Check.BALANCE, Check.ICP_FILING))
    assert answer.status is ReviewStatus.APPROVED

    dossier = await dossier_of(case)
    assert dossier.ticket == case.ticket
    assert dossier.identity.method is IdentityMethod.CODE
    assert dossier.confirmation is None
    assert dossier.decision is not None
    assert (dossier.decision.kind, dossier.decision.decision.operator_id) == (DecisionKind.APPROVE, "agent-7")
    assert [waiver.check for waiver in dossier.waivers] == [Check.BALANCE, Check.ICP_FILING]
    assert dossier.waivers[0].figures[Figure.OFFLINE_FEN] == 20_000
    assert "give up the whole balance" in dossier.balance_consent
    certificate = await service.cancellations.certificate(dossier.request_no)
    assert certificate.waived == dossier.waivers
    assert (await service.store.account(account)).profile.status is AccountStatus.CLOSED
    await assert_replays(case.request, case.review, service.deletion(account))


async def test_an_individual_gives_up_frozen_money_by_statement(service: Service) -> None:
    account = await blocked(service, frozen_fen=30_000)
    case = await file(service, account)
    await case.approve(waived=(Check.BALANCE,))
    dossier = await dossier_of(case)
    assert [waiver.check for waiver in dossier.waivers] == [Check.BALANCE]
    assert dossier.notice.version == CURRENT_VERSION
    # The ticket's contact is told, beside the account's own.
    await case.request.result()
    closed = [m for m in await service.store.outbox() if m.params.get("request_no") == dossier.request_no]
    assert "owner@example.com" in {m.destination for m in closed if m.template is Template.ACCOUNT_CLOSED}


async def test_without_any_verified_channel_a_reviewer_attests_identity(service: Service) -> None:
    account = await service.account(channels="")
    view = await service.start(account)
    assert (view.phase, view.due_step) == (Phase.AWAITING_IDENTITY, Step.FILE_TICKET)
    # Nothing blocks this account but that nobody can be asked: a ticket is its only way.
    case = await file(service, account)
    refused = await refusal(case.approve(waived=()))
    assert refused.details["because"] == IgnoredBecause.IDENTITY_NOT_ATTESTED
    await case.approve(waived=(), attested=True, decision_id="D-attests")

    dossier = await dossier_of(case)
    assert (dossier.identity.method, dossier.identity.channel) == (IdentityMethod.ATTESTED, None)
    assert dossier.identity.evidence_id == "D-attests"
    assert (dossier.notice.version, dossier.notice.sha256) == (STATEMENT.notice_version, STATEMENT.notice_sha256)
    assert dossier.waivers == ()
    # No code was ever sent: there is nowhere to send one.
    assert await service.store.calls(Endpoint.CREATE_CHALLENGE, account) == []
    await assert_replays(case.request, case.review)


async def test_without_any_verified_channel_a_ticket_may_waive_as_well(service: Service) -> None:
    account = await service.account(channels="", icp_applications_ever=1)
    await service.start(account)
    case = await file(service, account)
    refused = await refusal(case.approve(waived=(), attested=True))
    assert refused.details["because"] == IgnoredBecause.WAIVERS_INCOMPLETE
    await case.approve(attested=True)
    assert [waiver.check for waiver in (await dossier_of(case)).waivers] == [Check.ICP_FILING]


async def test_a_rejection_ends_the_request_with_its_reasons(service: Service) -> None:
    case = await under_review(service)
    await case.reject(DecisionReason.DISPUTE_OPEN, DecisionReason.LEGAL_HOLD)
    result = await case.request.result()
    assert result.outcome is Phase.REJECTED
    assert result.rejection_reasons == (DecisionReason.DISPUTE_OPEN, DecisionReason.LEGAL_HOLD)
    assert (await service.store.account(case.account_id)).profile.status is AccountStatus.ACTIVE
    assert await service.store.calls(Endpoint.TAKE_HOLD, case.account_id) == []
    [told, _] = await case.until_messages(Template.TICKET_REJECTED, 2)
    assert told.params["reasons"] == "DISPUTE_OPEN,LEGAL_HOLD"
    # The owner may begin anew.
    assert (await service.start(case.account_id)).phase is Phase.AWAITING_IDENTITY
    await assert_replays(case.request, case.review)


async def test_an_account_that_grew_after_its_approval_needs_a_new_ticket(service: Service) -> None:
    account = await blocked(service, frozen_fen=100)
    first = await file(service, account)
    await service.store.set_facts(account, frozen_fen=101)
    await first.approve(waived=(Check.BALANCE,))
    view = await first.in_phase(Phase.BLOCKED)
    assert view.report is not None
    assert [outcome.figures[Figure.FROZEN_FEN] for outcome in view.report.reasons_left()] == [101]

    second = await file(service, account)
    await second.approve(waived=(Check.BALANCE,))
    dossier = await dossier_of(second)
    assert (dossier.ticket, dossier.waivers[0].figures[Figure.FROZEN_FEN]) == (second.ticket, 101)


# Who may file


async def test_what_no_ticket_can_waive_is_put_right_first(service: Service) -> None:
    account = await blocked(service, icp_applications_ever=1, arrears_fen=600)
    before = (await service.cancellations.view(account)).report
    ticket = await file_in_vault(service, account)
    refused = await refusal(service.cancellations.file_ticket(account, ticket, owner_of(account)))
    assert refused.type is ErrorType.TICKET_NOT_ALLOWED
    assert refused.details["fix_first"] == [Check.ARREARS]
    view = await service.cancellations.view(account)
    assert (view.phase, view.review, view.route) == (Phase.BLOCKED, None, None)
    # The checks that ran at filing are the report that everybody sees now.
    assert before is not None
    assert view.report is not None
    assert view.report.number == before.number + 1

    # A ticket about a report that is not the latest is about something that nobody was shown.
    await service.store.set_facts(account, arrears_fen=0)
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.STALE_REPORT
    )
    await service.recheck(account)
    case = await file(service, account)
    assert [o.check for o in (await case.view()).case.report.reasons_left()] == [Check.ICP_FILING]


async def test_without_a_channel_too_the_rest_is_put_right_first(service: Service) -> None:
    account = await service.account(channels="", **{"resources.vm": 2})
    await service.start(account)
    refused = await refusal(
        service.cancellations.file_ticket(account, await file_in_vault(service, account), owner_of(account))
    )
    assert (refused.type, refused.details["fix_first"]) == (ErrorType.TICKET_NOT_ALLOWED, [Check.RESOURCES])
    view = await service.cancellations.view(account)
    assert (view.phase, view.due_step) == (Phase.AWAITING_IDENTITY, Step.FILE_TICKET)
    assert view.report is not None
    assert [outcome.check for outcome in view.report.reasons_left()] == [Check.RESOURCES]


async def test_what_could_not_be_told_is_no_reason_for_a_ticket(service: Service) -> None:
    account = await blocked(service, {"check_limit": timedelta(seconds=1)})
    ticket = await file_in_vault(service, account)
    async with fault(service, Endpoint.BALANCE, FaultKind.ERROR, account_id=account, status=503):
        refused = await refusal(service.cancellations.file_ticket(account, ticket, owner_of(account)))
    assert (refused.type, refused.details["could_not_tell"]) == (ErrorType.NOT_NOW, [Check.BALANCE])
    assert "no fault of the owner" in refused.message
    view = await service.cancellations.view(account)
    assert view.report is not None
    assert view.report.outcomes[0].verdict is Verdict.UNKNOWN
    await service.recheck(account)
    await file(service, account)


async def test_an_account_that_nothing_blocks_needs_no_ticket(service: Service) -> None:
    account = await blocked(service, **{"resources.vm": 1})
    await service.store.set_facts(account, **{"resources.vm": 0})
    refused = await refusal(
        service.cancellations.file_ticket(account, await file_in_vault(service, account), owner_of(account))
    )
    assert (refused.type, refused.details["due_step"]) == (ErrorType.TICKET_NOT_ALLOWED, Step.RECHECK)
    assert (await service.cancellations.view(account)).phase is Phase.BLOCKED
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION


async def test_a_ticket_is_no_side_door_round_verification(service: Service) -> None:
    account = await service.account(icp_applications_ever=1)
    await service.start(account)
    ticket = await file_in_vault(service, account)
    refused = await refusal(service.cancellations.file_ticket(account, ticket, owner_of(account)))
    assert (refused.type, refused.details["phase"]) == (ErrorType.WRONG_PHASE, Phase.AWAITING_IDENTITY)
    assert refused.details["due_step"] == Step.SEND_CODE
    await service.identify(account)
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.WRONG_PHASE
    )
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_NOTICE


async def test_a_clear_report_is_confirmed_and_not_ticketed(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    refused = await refusal(
        service.cancellations.file_ticket(account, await file_in_vault(service, account), owner_of(account))
    )
    assert (refused.type, refused.details["due_step"]) == (ErrorType.WRONG_PHASE, Step.CONFIRM)


# What a ticket must be


@pytest.mark.parametrize(
    ("real_name_type", "lacks", "missing"),
    [
        (RealNameType.INDIVIDUAL, "contact_email", MissingPart.CONTACT_EMAIL),
        (RealNameType.INDIVIDUAL, "contact_phone", MissingPart.CONTACT_PHONE),
        (RealNameType.INDIVIDUAL, "statement", MissingPart.STATEMENT),
        (RealNameType.NONE, "statement", MissingPart.STATEMENT),
        (RealNameType.ENTERPRISE, "letter", MissingPart.STAMPED_LETTER),
    ],
)
async def test_an_incomplete_ticket_is_refused_with_what_it_lacks(
    service: Service, real_name_type: RealNameType, lacks: str, missing: MissingPart
) -> None:
    account = await blocked(service, icp_applications_ever=1, real_name_type=real_name_type)
    empty = "" if lacks.startswith("contact") else None
    ticket = await put_unchecked(service, account, real_name_type=real_name_type, **{lacks: empty})
    refused = await refusal(service.cancellations.file_ticket(account, ticket, owner_of(account)))
    assert (refused.type, refused.details["missing"]) == (ErrorType.TICKET_INCOMPLETE, [missing])
    await assert_not_filed(service, account, ticket)


async def test_a_statement_on_an_old_notice_is_refused(service: Service) -> None:
    account = await blocked(service)
    old = Statement(notice_version="2020-01", notice_sha256=STATEMENT.notice_sha256)
    ticket = await put_unchecked(service, account, statement=old)
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.STALE_NOTICE
    )
    await assert_not_filed(service, account, ticket)


async def test_a_statement_on_another_text_of_the_notice_is_refused(service: Service) -> None:
    account = await blocked(service)
    ticket = await put_unchecked(
        service, account, statement=Statement(notice_version=CURRENT_VERSION, notice_sha256="0" * 64)
    )
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.STALE_NOTICE
    )
    await assert_not_filed(service, account, ticket)


async def test_the_ticket_of_another_account_is_refused(service: Service) -> None:
    account, other = await blocked(service), await service.account()
    ticket = await put_unchecked(service, account, account_id=other)
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.TICKET_MISMATCH
    )
    await assert_not_filed(service, account, ticket)


async def test_a_ticket_for_another_real_name_type_is_refused(service: Service) -> None:
    account = await blocked(service, icp_applications_ever=1, real_name_type="ENTERPRISE")
    # A statement is enough for an individual, and must not get an enterprise round its stamped letter.
    ticket = await file_in_vault(service, account, RealNameType.INDIVIDUAL)
    assert (
        await refused_type(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        is ErrorType.TICKET_MISMATCH
    )
    await assert_not_filed(service, account, ticket)


async def test_a_form_that_is_not_what_was_filed_is_refused(service: Service) -> None:
    account = await blocked(service)
    ticket = await file_in_vault(service, account)
    changed = ticket.model_copy(update={"sha256": "0" * 64})
    assert (
        await refused_type(service.cancellations.file_ticket(account, changed, owner_of(account)))
        is ErrorType.VAULT_RECORD_CHANGED
    )
    nowhere = ticket.model_copy(update={"ticket_no": "T-nowhere"})
    assert (
        await refused_type(service.cancellations.file_ticket(account, nowhere, owner_of(account)))
        is ErrorType.VAULT_RECORD_MISSING
    )
    await assert_not_filed(service, account, ticket)
    await file(service, account, ticket)


async def test_a_ticket_under_review_cannot_be_filed_again(service: Service) -> None:
    case = await under_review(service)
    for ticket in (case.ticket, await file_in_vault(service, case.account_id)):
        refused = await refusal(service.cancellations.file_ticket(case.account_id, ticket, owner_of(case.account_id)))
        assert (refused.type, refused.details["phase"]) == (ErrorType.WRONG_PHASE, Phase.UNDER_REVIEW)
    assert (await case.view()).status is ReviewStatus.UNDER_REVIEW


async def test_a_decided_ticket_never_gets_a_second_review(service: Service) -> None:
    case = await under_review(service)
    await case.reject()
    await case.request.result()
    await service.store.let_time_pass(case.account_id, timedelta(minutes=5))
    await service.to_report(case.account_id)
    again = await put_unchecked(service, case.account_id, ticket_no=case.ticket_no, revision=2)
    assert (
        await refused_type(service.cancellations.file_ticket(case.account_id, again, owner_of(case.account_id)))
        is ErrorType.TICKET_NOT_ALLOWED
    )
    assert (await service.cancellations.view(case.account_id)).phase is Phase.BLOCKED
    await file(service, case.account_id)


async def assert_not_filed(service: Service, account: str, ticket: TicketRef) -> None:
    """The request stays where it was, and no review was started."""
    view = await service.cancellations.view(account)
    assert (view.phase, view.review) == (Phase.BLOCKED, None)
    with pytest.raises(RPCError, match="not found"):
        await service.review(ticket.ticket_no).describe()


# Materials


async def test_supplied_materials_start_a_new_clock_and_leave_the_ceiling(service: Service) -> None:
    case = await under_review(service)
    first = await case.clock()
    view = await case.ask_for_materials()
    assert (view.due_step, view.review and view.review.status) == (
        Step.SUPPLY_MATERIALS,
        ReviewStatus.AWAITING_MATERIALS,
    )
    [told, _] = await case.until_messages(Template.TICKET_MATERIALS_REQUESTED, 2)
    assert told.params["reasons"] == DecisionReason.CONTACT_UNREACHABLE
    # Four business days later the deadline of the first filing is past: nobody is late, for it is the owner's turn.
    await case.skip_to(first.next_reminder_at + timedelta(hours=1))
    assert not (await case.view()).overdue

    assert (await case.supply()).phase is Phase.UNDER_REVIEW
    second = (await eventually(case.view, lambda v: v.clock is not None and v.clock != first)).clock
    assert second is not None
    assert second.filed_at > first.due_at
    running = service.calendar.deadlines(second.filed_at)
    assert (second.due_at, second.remind_at) == (running.due_at, running.remind_at)
    assert second.ceiling_at == first.ceiling_at

    await case.approve(decided_at=second.filed_at)
    dossier = await dossier_of(case)
    assert (dossier.ticket, dossier.decision and dossier.decision.late) == ((await case.view()).case.ticket, False)
    assert dossier.ticket is not None
    assert dossier.ticket.revision == 2
    await assert_replays(case.request, case.review)


async def test_materials_may_be_asked_for_twice(service: Service) -> None:
    case = await under_review(service)
    for revision in (2, 3):
        await case.ask_for_materials()
        assert (await case.supply()).phase is Phase.UNDER_REVIEW
        assert (await case.view()).case.ticket.revision == revision
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    assert [recorded.kind for recorded in (await case.view()).decisions] == [
        DecisionKind.REQUEST_MATERIALS,
        DecisionKind.REQUEST_MATERIALS,
        DecisionKind.APPROVE,
    ]


async def test_a_revision_that_does_not_follow_is_refused(service: Service) -> None:
    case = await under_review(service)
    other = await file_in_vault(service, case.account_id)
    await case.ask_for_materials()

    def revision(number: int, **changes: object) -> dict[str, object]:
        chained = {"ticket_no": case.ticket_no, "revision": number, "previous_sha256": case.ticket.sha256}
        return chained | changes

    wrong = {
        "the first revision again": case.ticket,
        "another ticket": other,
        "the next of another ticket": await next_revision(service, other),
        "chained to something else": await put_unchecked(
            service, case.account_id, **revision(2, previous_sha256="0" * 64)
        ),
        "of another account": await put_unchecked(
            service, case.account_id, account_id="acct-clean-phone", **revision(3)
        ),
    }
    for what, ticket in wrong.items():
        refused = await refused_type(
            service.cancellations.supply_materials(case.account_id, ticket, owner_of(case.account_id))
        )
        assert refused is ErrorType.TICKET_MISMATCH, what
    incomplete = await put_unchecked(service, case.account_id, **revision(4, contact_phone=""))
    assert (
        await refused_type(
            service.cancellations.supply_materials(case.account_id, incomplete, owner_of(case.account_id))
        )
        is ErrorType.TICKET_INCOMPLETE
    )
    view = await service.cancellations.view(case.account_id)
    assert (view.phase, view.review and view.review.ticket) == (Phase.AWAITING_MATERIALS, case.ticket)

    # The numbers of revisions that were refused stay used up; the next one follows the last that counted.
    assert (await case.supply()).phase is Phase.UNDER_REVIEW
    assert (await case.view()).case.ticket.revision == 5


async def test_materials_that_nobody_asked_for_are_refused(service: Service) -> None:
    case = await under_review(service)
    refused = await refusal(
        service.cancellations.supply_materials(
            case.account_id, await next_revision(service, case.ticket), owner_of(case.account_id)
        )
    )
    assert (refused.type, refused.details["phase"]) == (ErrorType.WRONG_PHASE, Phase.UNDER_REVIEW)
    assert (await case.view()).case.ticket == case.ticket


async def test_a_reviewer_may_reject_while_materials_are_awaited(service: Service) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    await case.reject(DecisionReason.IDENTITY_NOT_PROVEN)
    result = await case.request.result()
    assert (result.outcome, result.rejection_reasons) == (Phase.REJECTED, (DecisionReason.IDENTITY_NOT_PROVEN,))
