"""What ops see of a workflow without opening it: search attributes, and the text on top of its page in the Temporal UI.

Each text says what it waits for, since when, and what to do next. Opaque ids only.
"""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from domain.checks import ENTITLEMENTS, EligibilityReport, Verdict
    from domain.messages import CancellationView, ReviewView, Route
    from domain.model import Instant
    from domain.phases import OUTCOMES, Phase
    from domain.tickets import ReviewStatus

from workflows.common.search_attributes import (
    BLOCKING_REASONS,
    CANCELLATION_OUTCOME,
    CANCELLATION_PHASE,
    CANCELLATION_ROUTE,
    REAL_NAME_TYPE,
    SLA_BREACHED,
    TICKET_DUE_AT,
    upsert_changed,
)

_WAITS_FOR: dict[Phase, str] = {
    Phase.OPENING: "the platform's answer about the account",
    Phase.AWAITING_IDENTITY: "the owner to prove identity",
    Phase.AWAITING_NOTICE: "the owner to read and accept the notice",
    Phase.CHECKING: "the eligibility checks",
    Phase.BLOCKED: "the owner to put the reasons below right and re-check, or to file a ticket",
    Phase.AWAITING_CONFIRMATION: "the owner's last confirmation",
    Phase.UNDER_REVIEW: "a support agent's decision",
    Phase.AWAITING_MATERIALS: "the owner to supply materials",
    Phase.SEALING: "hold, re-check, dossier and close",
    Phase.DELETING: "the deletion, which cannot be undone",
    Phase.DELETION_STALLED: "ops",
}


def publish_request_status(view: CancellationView) -> None:
    """Set a request's search attributes and current details."""
    blocking = [reason for _, reason in _in_the_way(view.report)]
    attributes: list[SearchAttributeUpdate[Any]] = [
        BLOCKING_REASONS.value_set(blocking) if blocking else BLOCKING_REASONS.value_unset(),
    ]
    if view.phase is not Phase.CHECKING:
        # The checks end within the policy's limit: nobody looks for them, and each upsert is a write in the index.
        attributes.append(CANCELLATION_PHASE.value_set(view.phase))
    if view.route:
        attributes.append(CANCELLATION_ROUTE.value_set(view.route))
    if view.real_name_type:
        attributes.append(REAL_NAME_TYPE.value_set(view.real_name_type))
    if view.phase in OUTCOMES:
        attributes.append(CANCELLATION_OUTCOME.value_set(view.phase))
    if (due_at := _still_due(view)) is not None:
        attributes += [SLA_BREACHED.value_set(view.overdue), TICKET_DUE_AT.value_set(due_at)]
    upsert_changed(attributes)
    workflow.set_current_details(_describe_request(view))


def _in_the_way(report: EligibilityReport | None) -> list[tuple[str, str]]:
    """What keeps the account open, each with its reason; what could not be told included."""
    if report is None:
        return []
    found = [(str(o.check), str(o.reason)) for o in report.outcomes if o.verdict is not Verdict.PASSED]
    return found if report.entitlements else [*found, (ENTITLEMENTS, ENTITLEMENTS)]


def _still_due(view: CancellationView) -> Instant | None:
    """By when an approved ticket has to be completed: an approval is no answer yet."""
    if view.phase is not Phase.SEALING or view.approval_expires_at is None:
        return None
    return view.review.clock.due_at if view.review and view.review.clock else None


def _describe_request(view: CancellationView) -> str:
    lines = [f"**{view.phase}** since {view.phase_since:%Y-%m-%d %H:%M} UTC - request `{view.request_no}`"]
    if waits_for := _WAITS_FOR.get(view.phase):
        lines.append(f"- waits for: {waits_for}")
    if view.due_step:
        lines.append(f"- next: `{view.due_step}` by the owner, lapses {view.lapses_at:%Y-%m-%d %H:%M} UTC")
    if view.phase is Phase.DELETION_STALLED:
        lines.append(f"- next: see `account-deletion-{view.account_id}`, then `deletion resume {view.account_id}`")
    if view.review:
        lines.append(f"- ticket: `ticket-review-{view.review.ticket.ticket_no}` ({view.review.status})")
    if view.report and view.phase in (Phase.BLOCKED, Phase.UNDER_REVIEW):
        lines += [f"- {check}: {reason}" for check, reason in _in_the_way(view.report)]
    if (due_at := _still_due(view)) is not None:
        lines.append(f"- due {due_at:%Y-%m-%d %H:%M} UTC" + (" - **LATE**" if view.overdue else ""))
    if view.seal_refused:
        lines.append(f"- the last attempt to close was refused: {view.seal_refused}")
    if view.cancels_refused:
        lines.append(f"- cancel requests refused: {view.cancels_refused} (past the point of no return)")
    return "\n".join(lines)


_REVIEW_NEXT: dict[ReviewStatus, str] = {
    ReviewStatus.UNDER_REVIEW: "`starter.py ticket approve | reject | request-materials` by an agent",
    ReviewStatus.AWAITING_MATERIALS: "the owner supplies materials (`starter.py ticket supply`)",
    ReviewStatus.APPROVED: "nothing; late decisions are recorded as ignored",
    ReviewStatus.REJECTED: "nothing; late decisions are recorded as ignored",
    ReviewStatus.CALLED_OFF: "nothing; there is nothing left to decide",
}


def publish_review_status(view: ReviewView) -> None:
    """Set a review's search attributes and current details."""
    attributes: list[SearchAttributeUpdate[Any]] = [
        CANCELLATION_ROUTE.value_set(Route.MANUAL),
        REAL_NAME_TYPE.value_set(view.case.real_name_type),
        BLOCKING_REASONS.value_set([str(outcome.reason) for outcome in view.case.report.reasons_left()]),
        SLA_BREACHED.value_set(view.overdue),
        # Only a ticket that waits for somebody has a phase; a decided one has an outcome: a queue is one filter.
        CANCELLATION_PHASE.value_set(view.status) if view.status.is_open else CANCELLATION_PHASE.value_unset(),
    ]
    if not view.status.is_open:
        attributes.append(CANCELLATION_OUTCOME.value_set(view.status))
    if view.clock:
        attributes.append(TICKET_DUE_AT.value_set(view.clock.due_at))
    upsert_changed(attributes)
    workflow.set_current_details(_describe_review(view))


def _describe_review(view: ReviewView) -> str:
    late = " - **LATE**" if view.overdue else ""
    lines = [f"**{view.status}**{late} - ticket `{view.case.ticket.ticket_no}`, request `{view.case.request_no}`"]
    if view.clock:
        provisional = ", provisional" if view.clock.provisional else ""
        lines.append(f"- due {view.clock.due_at:%Y-%m-%d %H:%M} UTC (calendar {view.clock.calendar}{provisional})")
        lines.append(f"- ceiling {view.clock.ceiling_at:%Y-%m-%d %H:%M} UTC" + (" **passed**" * view.ceiling_passed))
    lines.append(f"- waiver asked for: {', '.join(w.check for w in view.case.waivers_asked) or 'none'}")
    if not view.case.identity_verified:
        lines.append("- no verified channel: an approval must attest identity")
    lines.append(f"- next: {_REVIEW_NEXT[view.status]}")
    lines += [f"- ignored: {i.kind} {i.decision_id} by {i.operator_id}: {i.because}" for i in view.ignored]
    return "\n".join(lines)
