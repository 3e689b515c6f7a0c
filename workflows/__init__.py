"""What happens, and in which order. Deterministic: no I/O, no clocks, no logging library but `workflow.logger`."""

from workflows.account_cancellation import AccountCancellation
from workflows.account_deletion import AccountDeletion
from workflows.ticket_review import TicketReview

__all__ = ["WORKFLOWS", "AccountCancellation", "AccountDeletion", "TicketReview"]

WORKFLOWS = (AccountCancellation, TicketReview, AccountDeletion)
"""Every workflow of the service. A test holds this against every `@workflow.defn`."""
