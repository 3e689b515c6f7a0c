"""The transition table against the picture of the process, drawn here a second time, and the owner's steps."""

from itertools import pairwise, product

import pytest

from domain.accounts import (
    AccountKind,
    AccountProfile,
    AccountStatus,
    Channel,
    RealNameType,
    RefusalReason,
    refusal_reason,
)
from domain.phases import OUTCOMES, STEP_PHASES, TRANSITIONS, IllegalTransition, Phase, Step, advance, allows, due_step

PICTURE = """
OPENING -> AWAITING_IDENTITY -> AWAITING_NOTICE -> CHECKING -> AWAITING_CONFIRMATION -> SEALING -> DELETING -> CLOSED

CHECKING -> BLOCKED -> CHECKING                                         re-check
AWAITING_CONFIRMATION -> CHECKING                                       re-check
SEALING -> BLOCKED                                                      something changed since it was confirmed
AWAITING_CONFIRMATION -> AWAITING_IDENTITY                              the proof is too old, or another person's
OPENING -> CHECKING -> AWAITING_IDENTITY                                no channel is verified: a report first
AWAITING_IDENTITY -> CHECKING                                           and its re-check
SEALING -> AWAITING_IDENTITY                                            something changed, no channel is verified
DELETING -> DELETION_STALLED -> DELETING                                parked, resumed
DELETION_STALLED -> CLOSED                                              what was parked was the last of it

AWAITING_IDENTITY -> UNDER_REVIEW                                       ticket, where no channel is verified
BLOCKED -> UNDER_REVIEW                                                 ticket
UNDER_REVIEW -> AWAITING_MATERIALS -> UNDER_REVIEW                      materials asked for, supplied
UNDER_REVIEW -> SEALING                                                 approved
UNDER_REVIEW -> REJECTED
AWAITING_MATERIALS -> REJECTED
UNDER_REVIEW -> BLOCKED                                                 the review was called off
UNDER_REVIEW -> AWAITING_IDENTITY                                       the same, where no channel is verified
AWAITING_MATERIALS -> BLOCKED
AWAITING_MATERIALS -> AWAITING_IDENTITY
"""

OWNERS_TURN = {
    Phase.AWAITING_IDENTITY,
    Phase.AWAITING_NOTICE,
    Phase.BLOCKED,
    Phase.AWAITING_CONFIRMATION,
    Phase.AWAITING_MATERIALS,
}
BEFORE_DELETING = OWNERS_TURN | {Phase.OPENING, Phase.CHECKING, Phase.UNDER_REVIEW, Phase.SEALING}
AFTER_THE_POINT_OF_NO_RETURN = {Phase.DELETING, Phase.DELETION_STALLED}
A_CLOSURE_FOUND = {Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED, Phase.REFUSED}
"""Where a request goes when the platform says that its account is closed: to be deleted, deleted, or not by us."""
THE_END = {Phase.CLOSED, Phase.REJECTED, Phase.WITHDRAWN, Phase.LAPSED, Phase.REFUSED}


def arrows() -> set[tuple[Phase, Phase]]:
    """Every arrow of the picture, and the ways out that are too many to draw: a closure may be found from anywhere."""
    drawn = set()
    for line in PICTURE.strip().splitlines():
        phases = [Phase(part.split()[0]) for part in line.split("->") if part.strip()]
        drawn |= set(pairwise(phases))
    withdrawn = {(at, Phase.WITHDRAWN) for at in BEFORE_DELETING}
    lapsed = {(at, Phase.LAPSED) for at in OWNERS_TURN}
    return drawn | withdrawn | lapsed | set(product(BEFORE_DELETING, A_CLOSURE_FOUND))


ARROWS = arrows()


def reachable_from(start: Phase) -> set[Phase]:
    """Where a request can come to, `start` itself only by a way back."""
    found: set[Phase] = set()
    ahead = {start}
    while ahead:
        ahead = {to for at in ahead for to in TRANSITIONS[at]} - found
        found |= ahead
    return found


def phases_leading_to(to: Phase) -> set[Phase]:
    return {at for at, moves in TRANSITIONS.items() if to in moves}


# --- the table ---


def test_every_phase_is_before_or_after_the_point_of_no_return_or_the_end() -> None:
    assert len(BEFORE_DELETING) + len(AFTER_THE_POINT_OF_NO_RETURN) + len(THE_END) == len(Phase)
    assert BEFORE_DELETING | AFTER_THE_POINT_OF_NO_RETURN | THE_END == set(Phase) == set(TRANSITIONS)


@pytest.mark.parametrize("current", Phase)
def test_a_move_is_allowed_exactly_when_the_picture_has_its_arrow(current: Phase) -> None:
    for to in Phase:
        if (current, to) in ARROWS:
            assert advance(current, to) is to
        else:
            with pytest.raises(IllegalTransition, match=f"^{current} -> {to} is not in the transition table$"):
                advance(current, to)


def test_outcomes_have_no_exits_and_every_other_phase_has_one() -> None:
    assert OUTCOMES == THE_END
    assert {phase for phase, moves in TRANSITIONS.items() if not moves} == THE_END


def test_a_request_can_be_withdrawn_from_exactly_the_phases_before_deleting() -> None:
    assert phases_leading_to(Phase.WITHDRAWN) == BEFORE_DELETING


def test_a_request_lapses_only_where_the_owner_has_the_turn() -> None:
    assert phases_leading_to(Phase.LAPSED) == OWNERS_TURN
    assert {phase for phase in Phase if due_step(phase)} == OWNERS_TURN


def test_a_closed_account_is_found_from_every_phase_before_its_closure_and_never_after() -> None:
    for phase in BEFORE_DELETING:
        assert TRANSITIONS[phase] >= A_CLOSURE_FOUND
    assert phases_leading_to(Phase.REFUSED) == BEFORE_DELETING
    assert phases_leading_to(Phase.DELETING) == BEFORE_DELETING | {Phase.DELETION_STALLED}
    assert phases_leading_to(Phase.DELETION_STALLED) == BEFORE_DELETING | {Phase.DELETING}


def test_nothing_is_withdrawn_lapses_or_is_refused_after_the_closure() -> None:
    for phase in AFTER_THE_POINT_OF_NO_RETURN | {Phase.CLOSED}:
        assert not reachable_from(phase) & {Phase.WITHDRAWN, Phase.LAPSED, Phase.REFUSED, Phase.REJECTED}


def test_deleting_never_goes_back() -> None:
    assert reachable_from(Phase.DELETING) == {Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED}


def test_a_request_is_closed_by_a_deletion_or_by_finding_that_one_is_done() -> None:
    assert phases_leading_to(Phase.CLOSED) == BEFORE_DELETING | AFTER_THE_POINT_OF_NO_RETURN


def test_sealing_needs_a_confirmation_or_a_review() -> None:
    assert phases_leading_to(Phase.SEALING) == {Phase.AWAITING_CONFIRMATION, Phase.UNDER_REVIEW}


def test_every_phase_is_reached_from_the_opening_and_leads_to_an_end() -> None:
    assert reachable_from(Phase.OPENING) == set(Phase) - {Phase.OPENING}
    assert [phase for phase in set(Phase) - THE_END if not reachable_from(phase) & THE_END] == []


# --- the owner's steps ---

STEPS: dict[Phase, set[Step]] = {
    Phase.OPENING: {Step.WITHDRAW},
    Phase.AWAITING_IDENTITY: {
        Step.SEND_CODE,
        Step.SUBMIT_IDENTITY_PROOF,
        Step.RECHECK,
        Step.FILE_TICKET,
        Step.WITHDRAW,
    },
    Phase.AWAITING_NOTICE: {Step.ACCEPT_NOTICE, Step.WITHDRAW},
    Phase.CHECKING: {Step.RECHECK, Step.WITHDRAW},
    Phase.BLOCKED: {Step.RECHECK, Step.FILE_TICKET, Step.WITHDRAW},
    Phase.AWAITING_CONFIRMATION: {Step.RECHECK, Step.CONFIRM, Step.WITHDRAW},
    Phase.UNDER_REVIEW: {Step.WITHDRAW},
    Phase.AWAITING_MATERIALS: {Step.SUPPLY_MATERIALS, Step.WITHDRAW},
    Phase.SEALING: {Step.WITHDRAW},
}


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_allows_its_own_steps_and_no_others(phase: Phase) -> None:
    assert {step for step in Step if phase in STEP_PHASES[step]} == STEPS.get(phase, set())


def test_a_step_is_named_as_its_update_is() -> None:
    assert {step.value for step in Step} == {
        "send_code",
        "submit_identity_proof",
        "accept_notice",
        "recheck",
        "confirm",
        "file_ticket",
        "supply_materials",
        "withdraw",
    }


DUE: dict[Phase, Step] = {
    Phase.AWAITING_NOTICE: Step.ACCEPT_NOTICE,
    Phase.BLOCKED: Step.RECHECK,
    Phase.AWAITING_CONFIRMATION: Step.CONFIRM,
    Phase.AWAITING_MATERIALS: Step.SUPPLY_MATERIALS,
}


every_look = list(product([True, False], repeat=3))


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.AWAITING_IDENTITY])
def test_once_identity_is_past_the_due_step_depends_on_the_phase_alone(phase: Phase) -> None:
    for verified, sent, shown in every_look:
        assert due_step(phase, channel_verified=verified, code_sent=sent, report_shown=shown) is DUE.get(phase)


@pytest.mark.parametrize(
    ("channel_verified", "code_sent", "report_shown", "due"),
    [
        (True, False, False, Step.SEND_CODE),
        (True, False, True, Step.SEND_CODE),
        (True, True, False, Step.SUBMIT_IDENTITY_PROOF),
        (True, True, True, Step.SUBMIT_IDENTITY_PROOF),
        (False, False, False, Step.RECHECK),
        (False, True, False, Step.RECHECK),
        (False, False, True, Step.FILE_TICKET),
        (False, True, True, Step.FILE_TICKET),
    ],
)
def test_identity_is_proven_by_a_code_or_where_no_channel_is_verified_by_a_ticket_about_a_report(
    channel_verified: bool, code_sent: bool, report_shown: bool, due: Step
) -> None:
    found = due_step(
        Phase.AWAITING_IDENTITY, channel_verified=channel_verified, code_sent=code_sent, report_shown=report_shown
    )
    assert found is due


@pytest.mark.parametrize(("channel_verified", "code_sent", "report_shown"), every_look)
def test_the_due_step_is_always_one_that_may_be_taken(
    channel_verified: bool, code_sent: bool, report_shown: bool
) -> None:
    for phase in OWNERS_TURN:
        due = due_step(phase, channel_verified=channel_verified, code_sent=code_sent, report_shown=report_shown)
        assert due is not None
        assert allows(phase, due, channel_verified=channel_verified)


# --- refused at the start ---


@pytest.mark.parametrize(
    ("kind", "status", "restricted", "reason"),
    [
        (AccountKind.MAIN, AccountStatus.ACTIVE, False, None),
        (AccountKind.MAIN, AccountStatus.ACTIVE, True, RefusalReason.RESTRICTED),
        (AccountKind.MAIN, AccountStatus.CLOSED, False, RefusalReason.ALREADY_CLOSED),
        (AccountKind.MAIN, AccountStatus.CLOSED, True, RefusalReason.ALREADY_CLOSED),
        *product([AccountKind.SUB_USER], AccountStatus, [True, False], [RefusalReason.SUB_USER]),
    ],
)
def test_only_the_main_account_of_an_open_unrestricted_account_may_ask(
    kind: AccountKind, status: AccountStatus, restricted: bool, reason: RefusalReason | None
) -> None:
    for channels, real_name_type in product([(), (Channel.PHONE,), tuple(Channel)], RealNameType):
        profile = AccountProfile(
            account_id="a-1",
            kind=kind,
            real_name_type=real_name_type,
            channels=channels,
            status=status,
            restricted=restricted,
        )
        assert refusal_reason(profile) is reason


@pytest.mark.parametrize(("phase", "step", "channel_verified"), list(product(Phase, Step, (True, False))))
def test_a_step_is_allowed_in_its_phases_and_neither_report_nor_ticket_is_a_way_round_a_verified_channel(
    phase: Phase, step: Step, channel_verified: bool
) -> None:
    side_doors = [(Phase.AWAITING_IDENTITY, step, True) for step in (Step.RECHECK, Step.FILE_TICKET)]
    expected = phase in STEP_PHASES[step] and (phase, step, channel_verified) not in side_doors
    assert allows(phase, step, channel_verified=channel_verified) is expected


def test_an_account_that_the_platform_does_not_know_is_refused() -> None:
    assert refusal_reason(None) is RefusalReason.UNKNOWN_ACCOUNT
