"""One message, sent: bounded, best effort, never a reason to stop."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.notifications import NotificationActivities
    from domain.notifications import Notification
    from domain.policy import Policy

from workflows.common.activity_options import BEST_EFFORT
from workflows.common.failures import error_type


async def notify(message: Notification, policy: Policy) -> bool:
    """Send a message; False when it could not be delivered within the policy's limit, which is logged and no more."""
    try:
        await workflow.execute_activity_method(
            NotificationActivities.notify,
            message,
            schedule_to_close_timeout=policy.notification_limit,
            summary=f"Send {message.template}",
            **BEST_EFFORT,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning(
            "A message was given up", extra={"template": message.template, "error_type": error_type(error)}
        )
        return False
    return True
