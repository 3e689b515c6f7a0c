"""What happens, and in which order. Deterministic: no I/O, no clocks, no logging library but `workflow.logger`."""

from temporalio import workflow

if not workflow.unsafe.in_sandbox():
    # The sandbox imports this package anew for every instance, and that one needs its own workflow only.
    from workflows.account_cancellation.workflow import AccountCancellation
    from workflows.account_deletion import AccountDeletion
    from workflows.message_delivery import MessageDelivery
    from workflows.ticket_review import TicketReview

    WORKFLOWS = (AccountCancellation, TicketReview, AccountDeletion, MessageDelivery)
    """Every workflow of the service. A test holds this against every `@workflow.defn`."""

__all__ = ["SHARED_MODULES", "WORKFLOWS", "AccountCancellation", "AccountDeletion", "MessageDelivery", "TicketReview"]

SHARED_MODULES = (
    "workflows.common",
    *(
        f"workflows.account_cancellation.{name}"
        for name in (
            "deletion_following",
            "eligibility",
            "facts",
            "identity_updates",
            "promise",
            "report_updates",
            "review_following",
            "sealing",
            "state",
            "ticket_updates",
            "update_base",
            "updates",
        )
    ),
    "workflows.review_decisions",
)
"""Helpers without state of their own: the sandbox shares them instead of importing them anew for every instance."""
