"""What children tell their request, as typed references: the request implements these, the children send them.

A signal says "look" and no more. What a child comes to is its result.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.deletion import DeletionView
    from domain.messages import Resume, ReviewReport


class FromChildren:
    """Signals of `AccountCancellation`."""

    @workflow.signal(description="From the ticket's review: its status and clock")
    def review_reported(self, report: ReviewReport) -> None:
        raise NotImplementedError

    @workflow.signal(description="From the deletion: receipts, stalled phases, the end")
    def deletion_reported(self, report: DeletionView) -> None:
        raise NotImplementedError

    @workflow.signal(description="From ops: the cause is put right, take the deletion up again")
    def deletion_resumed(self, resume: Resume) -> None:
        raise NotImplementedError
