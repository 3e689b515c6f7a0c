"""Whose word counts, about which account as it is now, and for how long: deciders, identities, profiles, ages."""

import asyncio
from datetime import timedelta

from pydantic import SecretStr

from domain.accounts import Channel, RealNameType
from domain.actors import Actor, Via
from domain.checks import Check
from domain.deletion import IdentityMethod
from domain.errors import ErrorType, Refusal
from domain.messages import CancellationView
from domain.notifications import Template
from domain.phases import Phase, Step
from domain.tickets import DecisionKind, DecisionReason, IgnoredBecause, MissingPart
from tests.support.agreements import dossier_of, hand_in, just_before_the_seal, refused_without_a_trace
from tests.support.service import Service, decision, owner_of
from tests.support.tickets import (
    LETTER,
    MARGIN,
    NOTICE,
    Case,
    awaiting_confirmation,
    awaiting_identity,
    blocked,
    file,
    file_in_vault,
    next_revision,
    put_unchecked,
    refusal,
    refused_type,
    under_review,
)

APPROVE, REJECT, REQUEST_MATERIALS = DecisionKind
REASON = DecisionReason.DISPUTE_OPEN
ENTERPRISE = RealNameType.ENTERPRISE


# Deciders


async def test_an_approval_of_the_first_revision_is_stale_for_the_second_however_often_it_comes(
    service: Service,
) -> None:
    case = await under_review(service)
    stamped = await case.decision(waived=(Check.ICP_FILING,), operator="agent-9")
    await case.ask_for_materials()
    await case.supply()
    for number in (1, 2):
        await service.cancellations.signal_decision(APPROVE, stamped)
        assert (await case.until_ignored(number)).ignored[-1].because is IgnoredBecause.STALE
    assert (await refusal(service.cancellations.decide(APPROVE, stamped))).details["because"] == IgnoredBecause.STALE
    assert (await service.cancellations.view(case.account_id)).phase is Phase.UNDER_REVIEW
    await case.approve()
    dossier = await dossier_of(service, case.account_id)
    assert (dossier.ticket and dossier.ticket.revision, dossier.decision and dossier.decision.late) == (2, False)


async def test_a_revision_cannot_have_been_decided_before_it_was_supplied(service: Service) -> None:
    case = await under_review(service)
    before = await case.now()
    await case.ask_for_materials()
    await case.skip_to(before + timedelta(days=1))
    await case.supply()
    refused = await refusal(case.approve(decided_at=before))
    assert refused.details["because"] == IgnoredBecause.TIME_IMPLAUSIBLE
    await case.approve()


async def assert_may_not_decide(service: Service, account: str, operator: str) -> None:
    view = await service.cancellations.view(account)
    assert view.review is not None
    review = await service.cancellations.review(view.review.ticket.ticket_no)
    for kind in DecisionKind:
        made = decision(review, REASON, operator=operator, waived=(Check.ICP_FILING,), attested=True)
        assert (await refusal(service.cancellations.decide(kind, made))).details[
            "because"
        ] == IgnoredBecause.SELF_APPROVAL


async def test_who_filed_a_ticket_or_supplied_to_it_decides_nothing_about_it(service: Service) -> None:
    account = await blocked(service)
    case = await file(service, account, await put_unchecked(service, account, filed_by="agent-7"))
    await assert_may_not_decide(service, account, "agent-7")
    await case.ask_for_materials(operator="agent-9")
    await service.cancellations.supply_materials(
        account, await next_revision(service, case.ticket, by="agent-8"), owner_of(account)
    )
    await case.in_phase(Phase.UNDER_REVIEW)
    for operator in ("agent-7", "agent-8", owner_of(account).subject):
        await assert_may_not_decide(service, account, operator)
    await case.approve(operator="agent-9")
    assert (await case.request.result()).outcome is Phase.CLOSED


async def test_who_filed_for_somebody_without_a_channel_attests_no_identity(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    case = await file(service, account, await put_unchecked(service, account, filed_by="agent-7"))
    await assert_may_not_decide(service, account, "agent-7")
    await case.approve(waived=(), attested=True, operator="agent-9")
    assert (await dossier_of(service, account)).identity.by.subject == "agent-7"


async def test_of_two_who_supply_materials_at_once_one_is_told_which_revision_stands(service: Service) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    revisions = [await next_revision(service, case.ticket) for _ in range(2)]
    by = owner_of(case.account_id)
    answers = await asyncio.gather(
        *(service.cancellations.supply_materials(case.account_id, revision, by) for revision in revisions),
        return_exceptions=True,
    )
    [refused] = [answer for answer in answers if isinstance(answer, Refusal)]
    [view] = [answer for answer in answers if isinstance(answer, CancellationView)]
    assert view.phase is Phase.UNDER_REVIEW
    stands = (await case.view()).case.ticket
    assert stands in revisions
    assert refused.details["revision"] == stands.revision
    assert f"revision that stands is {stands.revision}" in refused.message


# The account as it is now


async def test_a_form_for_what_the_account_was_yesterday_is_refused(service: Service) -> None:
    account = await blocked(service)
    yesterday = await file_in_vault(service, account)
    await service.store.set_facts(account, real_name_type=ENTERPRISE)
    assert (
        await refused_type(service.cancellations.file_ticket(account, yesterday, owner_of(account)))
        is ErrorType.TICKET_MISMATCH
    )
    view = await service.cancellations.view(account)
    assert (view.real_name_type, view.ticket_needs and view.ticket_needs.letter) == (ENTERPRISE, True)
    bare = await put_unchecked(service, account, real_name_type=ENTERPRISE)
    refused = await refusal(service.cancellations.file_ticket(account, bare, owner_of(account)))
    assert refused.details["missing"] == [MissingPart.STAMPED_LETTER]
    case = await file(service, account)
    assert (await case.view()).case.real_name_type is ENTERPRISE


async def test_an_individual_who_becomes_an_enterprise_confirms_again(service: Service) -> None:
    account = await awaiting_confirmation(service)
    async with just_before_the_seal(service, account):
        await service.confirm(account)
        await service.store.set_facts(account, real_name_type=ENTERPRISE)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert (view.changed and view.changed.real_name_type) is ENTERPRISE
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    assert (await dossier_of(service, account)).real_name_type is ENTERPRISE


async def test_what_an_individual_was_granted_is_not_the_enterprises(service: Service) -> None:
    account = await blocked(service)
    case = await file(service, account)
    async with just_before_the_seal(service, account):
        await case.approve()
        await case.in_phase(Phase.SEALING)
        await service.store.set_facts(account, real_name_type=ENTERPRISE)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert (view.changed and view.changed.real_name_type) is ENTERPRISE
    # The stamped letter was never seen: a recheck and a confirmation are no way round it.
    view = await service.recheck(account)
    assert (view.phase, view.waivers, view.approval_expires_at) == (Phase.BLOCKED, (), None)
    again = await file(service, account)
    await again.approve()
    dossier = await dossier_of(service, account)
    assert (dossier.ticket, dossier.real_name_type) == (again.ticket, ENTERPRISE)


async def test_a_phone_that_is_unbound_after_the_start_leaves_the_ticket(service: Service) -> None:
    account = await awaiting_identity(service)
    await service.store.set_facts(account, channels="")
    assert await refused_type(service.identify(account)) is ErrorType.NO_VERIFIED_CHANNEL
    assert (await service.cancellations.view(account)).due_step is Step.RECHECK
    view = await service.recheck(account)
    assert (view.phase, view.due_step) == (Phase.AWAITING_IDENTITY, Step.FILE_TICKET)
    case = await file(service, account)
    await case.approve(waived=(), attested=True)
    assert (await dossier_of(service, account)).identity.method is IdentityMethod.ATTESTED


async def test_a_phone_that_is_bound_after_the_start_is_asked_instead_of_a_reviewer(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    await service.store.set_facts(account, channels="PHONE")
    refused = await refused_without_a_trace(service, account)
    assert (refused.type, refused.details["due_step"]) == (ErrorType.WRONG_PHASE, Step.SEND_CODE)
    await service.identify(account)
    await service.accept_notice(account)
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    assert (await dossier_of(service, account)).identity.method is IdentityMethod.CODE


async def test_an_enterprise_without_a_channel_consents_by_letter_and_by_statement(service: Service) -> None:
    account = await service.account(channels="", real_name_type=ENTERPRISE)
    await service.start(account)
    refused = await refusal(hand_in(service, account))
    assert refused.details["missing"] == [MissingPart.STAMPED_LETTER]
    refused = await refusal(hand_in(service, account, letter=LETTER, statement=False))
    assert refused.details["missing"] == [MissingPart.STATEMENT]
    review = (await hand_in(service, account, letter=LETTER)).review
    assert review is not None
    await Case(service, account, review.ticket).approve(waived=(), attested=True)
    notice = (await dossier_of(service, account)).notice
    assert (notice.version, notice.sha256, notice.by) == (NOTICE.version, NOTICE.sha256, owner_of(account))


async def test_an_enterprise_without_a_channel_says_it_anew_once_its_approval_is_too_old(service: Service) -> None:
    account = await service.account(channels="", real_name_type=ENTERPRISE)
    await service.start(account)
    first = await file(service, account)
    await service.store.set_facts(account, available_fen=1)
    await first.approve(waived=(), attested=True)
    await first.in_phase(Phase.BLOCKED)
    await service.store.set_facts(account, available_fen=0)
    await service.env.fast_forward(service.request(account), timedelta(days=8))
    view = await service.recheck(account)
    assert (view.phase, view.identity_verified) == (Phase.AWAITING_IDENTITY, False)
    assert view.ticket_needs is not None
    assert (view.ticket_needs.letter, view.ticket_needs.statement) == (True, True)
    second = await file(service, account)
    await second.approve(waived=(), attested=True, decision_id="D-anew")
    dossier = await dossier_of(service, account)
    assert (dossier.ticket, dossier.identity.evidence_id) == (second.ticket, "D-anew")


# Identity, and the last word


async def proved_yesterday(service: Service, account: str) -> None:
    """Prove identity with a code that was answered 25 hours ago."""
    view = await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    assert view.challenge is not None
    challenge_id = view.challenge.challenge_id
    code = SecretStr(await service.store.latest_code(account))
    proof = (await service.challenges.answer_challenge(challenge_id, code)).proof
    await service.store.let_time_pass(account, timedelta(hours=25))
    step = {"challenge_id": challenge_id, "proof": proof, "by": owner_of(account).model_dump()}
    await service.request(account).execute_update("submit_identity_proof", step)


async def test_the_last_word_needs_an_identity_of_today(service: Service) -> None:
    account = await awaiting_identity(service)
    await proved_yesterday(service, account)
    await service.accept_notice(account)
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    assert await refused_type(service.confirm(account)) is ErrorType.IDENTITY_STALE
    view = await service.cancellations.view(account)
    assert (view.phase, view.due_step) == (Phase.AWAITING_IDENTITY, Step.SEND_CODE)
    await service.store.let_time_pass(account, timedelta(minutes=5))
    # The notice stays accepted; everything is checked anew.
    assert (await service.identify(account)).notice_version == NOTICE.version
    await service.in_phase(account, Phase.AWAITING_CONFIRMATION)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_who_says_the_last_word_is_who_proved_identity(service: Service) -> None:
    account = await awaiting_confirmation(service)
    report = (await service.cancellations.view(account)).report
    assert report is not None
    somebody = Actor(subject="somebody-else", via=Via.API)
    assert (
        await refused_type(service.cancellations.confirm(account, report.digest, somebody)) is ErrorType.IDENTITY_STALE
    )
    await service.store.let_time_pass(account, timedelta(minutes=5))
    await service.cancellations.send_code(account, Channel.PHONE, somebody)
    await service.cancellations.verify(account, await service.store.latest_code(account), somebody)
    latest = (await service.in_phase(account, Phase.AWAITING_CONFIRMATION)).report
    assert latest is not None
    # The same person, through another door.
    await service.cancellations.confirm(account, latest.digest, somebody.model_copy(update={"via": Via.CONSOLE}))
    dossier = await dossier_of(service, account)
    assert dossier.identity.by == somebody
    assert dossier.confirmation is not None
    assert (dossier.confirmation.by.subject, dossier.confirmation.by.via) == (somebody.subject, Via.CONSOLE)
    assert dossier.notice.by == owner_of(account)


async def test_a_request_ends_at_its_greatest_age_however_busy_its_owner_is(service: Service) -> None:
    account = await blocked(service)
    request = service.request(account)
    ends_by = (await service.cancellations.view(account)).ends_by
    told = [m for m in await service.store.outbox(account) if m.template is Template.CANCELLATION_OPENED]
    assert {message.params["ends_by"] for message in told} == {ends_by.isoformat()}
    for _ in range(4):
        await service.env.fast_forward(request, timedelta(days=20))
        view = await service.recheck(account)
        assert (view.phase, view.ends_by) == (Phase.BLOCKED, ends_by)
    assert (await service.cancellations.view(account)).lapses_at == ends_by
    await service.env.fast_forward(request, ends_by - await service.env.get_current_time(request) + MARGIN)
    assert (await request.result()).outcome is Phase.LAPSED
