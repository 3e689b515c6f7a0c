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
    async def run(self, order: MessageInput | UnreadableInput = UNREADABLE) -> bool:
        if isinstance(order, UnreadableInput):
            raise unreadable(MessageInput, order.given)
        return await notify(order.message, order.policy)
