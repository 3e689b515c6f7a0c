"""MessageDelivery: the message with which a request or a review ends. Neither waits for it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.messages import UNREADABLE, UnreadableInput
    from domain.notifications import MessageInput

from workflows.common.notify import notify
from workflows.common.unreadable import unreadable


@workflow.defn
class MessageDelivery:
    """Sends one message within the policy's limit. True when it was delivered."""

    @workflow.run
    async def run(self, input: MessageInput | UnreadableInput = UNREADABLE) -> bool:
        if isinstance(input, UnreadableInput):
            raise unreadable(MessageInput, input.given)
        return await notify(input.message, input.policy)
