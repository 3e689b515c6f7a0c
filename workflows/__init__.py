"""What happens, and in which order. Deterministic: no I/O, no clocks, no logging library but `workflow.logger`."""

from workflows.account_cancellation import AccountCancellation
from workflows.account_deletion import AccountDeletion
from workflows.ticket_review import TicketReview

__all__ = ["SHARED_MODULES", "WORKFLOWS", "AccountCancellation", "AccountDeletion", "TicketReview"]

WORKFLOWS = (AccountCancellation, TicketReview, AccountDeletion)
"""Every workflow of the service. A test holds this against every `@workflow.defn`."""

SHARED_MODULES = tuple(
    f"workflows.{name}"
    for name in (
        "current_details",
        "eligibility",
        "failures",
        "forward_only",
        "notices",
        "options",
        "search_attributes",
    )
)
"""Helpers without state of their own: the sandbox shares them instead of importing them anew for every instance."""
