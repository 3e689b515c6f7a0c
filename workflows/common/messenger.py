"""Messages to people: bounded, best effort, never a reason to stop or to wait."""

import asyncio
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.ids import message_key, message_workflow_id
    from domain.locale import Locale
    from domain.notifications import MessageInput, Notification, Template
    from domain.policy import Policy
    from workflows.message_delivery import MessageDelivery

from workflows.common.notify import notify


class Messenger:
    """Sends what a workflow has to say about one request or ticket, in the background, each message under its own key.

    `sent` counts them, and goes along when the workflow continues as new: a key is never used for two messages.
    """

    def __init__(self, account_id: str, about: str, locale: Locale, policy: Policy, sent: int = 0) -> None:
        self._account_id, self._about = account_id, about
        self._locale, self._policy = locale, policy
        self.sent = sent
        self._under_way: set[asyncio.Task[bool]] = set()

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def send(self, template: Template, params: dict[str, str], **recipient: Any) -> None:
        """A messaging service that is down holds up nothing. `recipient` is one of those of `Notification`."""
        message = self._message(template, params, recipient)
        task = asyncio.create_task(notify(message, self._policy))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def leave(self, template: Template, params: dict[str, str], **recipient: Any) -> None:
        """Send what has to arrive although this workflow ends now: a workflow of its own goes on with it."""
        message = self._message(template, params, recipient)
        _ = await workflow.start_child_workflow(
            MessageDelivery.run,
            MessageInput(message=message, policy=self._policy),
            id=message_workflow_id(message.key),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"{template} about {self._about}",
        )

    async def give_up(self) -> None:
        """Drop what is under way: a workflow that is over has nothing more to remind of."""
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _message(self, template: Template, params: dict[str, str], recipient: dict[str, Any]) -> Notification:
        self.sent += 1
        return Notification(
            template=template,
            locale=self._locale,
            key=message_key(self._account_id, self._about, template, self.sent),
            params=params,
            **recipient,
        )
