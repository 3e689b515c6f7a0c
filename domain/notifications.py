"""The messages this service sends, by template; the platform holds the wording and the addresses."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import ConfigDict, model_validator

from domain.locale import Locale
from domain.model import Instant, Model, OpaqueId
from domain.policy import Policy
from domain.tickets import DecisionKind, DecisionReason, ReviewCase, TicketRef


class Template(StrEnum):
    IDENTITY_CODE = "IDENTITY_CODE"
    CANCELLATION_OPENED = "CANCELLATION_OPENED"
    IDENTITY_PROVED = "IDENTITY_PROVED"
    LAST_WORD_RECEIVED = "LAST_WORD_RECEIVED"
    CANCELLATION_SENT_BACK = "CANCELLATION_SENT_BACK"
    CANCELLATION_WITHDRAWN = "CANCELLATION_WITHDRAWN"
    CANCELLATION_LAPSING = "CANCELLATION_LAPSING"
    CANCELLATION_LAPSED = "CANCELLATION_LAPSED"
    TICKET_FILED = "TICKET_FILED"
    TICKET_MATERIALS_REQUESTED = "TICKET_MATERIALS_REQUESTED"
    TICKET_DUE_SOON = "TICKET_DUE_SOON"
    TICKET_OVERDUE_OWNER = "TICKET_OVERDUE_OWNER"
    TICKET_OVERDUE_LEAD = "TICKET_OVERDUE_LEAD"
    TICKET_CEILING_ALARM = "TICKET_CEILING_ALARM"
    TICKET_APPROVED = "TICKET_APPROVED"
    TICKET_REJECTED = "TICKET_REJECTED"
    SEALING_STUCK = "SEALING_STUCK"
    DELETION_STUCK = "DELETION_STUCK"
    DELETION_STALLED = "DELETION_STALLED"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"


DECISION_TEMPLATES = {
    DecisionKind.APPROVE: Template.TICKET_APPROVED,
    DecisionKind.REQUEST_MATERIALS: Template.TICKET_MATERIALS_REQUESTED,
    DecisionKind.REJECT: Template.TICKET_REJECTED,
}
"""What the ticket's contact is told of a decision."""


def ticket_params(case: ReviewCase, due_at: Instant | None, reasons: Sequence[DecisionReason] = ()) -> dict[str, str]:
    """The parameters of every message about a ticket: of the one that is sent, and of its preview."""
    params = {"ticket_no": case.ticket.ticket_no, "request_no": case.request_no}
    if due_at:
        params["due_at"] = due_at.isoformat()
    if reasons:
        params["reasons"] = ",".join(reasons)
    return params


class StaffDesk(StrEnum):
    """Whom the platform rings at its own end: agents on the queue, the duty lead, operations."""

    AGENTS = "AGENTS"
    DUTY_LEAD = "DUTY_LEAD"
    OPERATIONS = "OPERATIONS"


class Notification(Model):
    """One message. Exactly one of the three recipients is set; `params` are opaque ids, codes and times.

    `key` makes a repeat of the same message recognisable, whoever sends it again.
    """

    template: Template
    locale: Locale
    key: OpaqueId
    params: dict[str, str] = {}
    account_id: OpaqueId | None = None
    ticket: TicketRef | None = None
    desk: StaffDesk | None = None

    @model_validator(mode="after")
    def _one_recipient(self) -> Self:
        if sum(recipient is not None for recipient in (self.account_id, self.ticket, self.desk)) != 1:
            raise ValueError("a notification has exactly one recipient: account, ticket or desk")
        return self


class MessageInput(Model):
    """Starts `MessageDelivery`. A field that only a newer version knows is passed over."""

    model_config = ConfigDict(extra="ignore")

    message: Notification
    policy: Policy
