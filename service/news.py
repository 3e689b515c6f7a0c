"""Waiting for news of a workflow, by a long poll of its history: it asks no worker, and leaves no trace."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle


async def news(handle: WorkflowHandle[Any, Any], limit: timedelta) -> AsyncIterator[None]:
    """Steps on at once, and then whenever a workflow task may have changed something: what is looked at in a step, and
    changes after that, is news for the next one.

    Ends when the time is over or, after a last step, when the workflow is. One that continues as new is followed.
    """
    until = asyncio.get_running_loop().time() + limit.total_seconds()
    history, is_first = handle.fetch_history_events(wait_new_event=True), True
    while True:
        try:
            async with asyncio.timeout_at(until):
                await history.fetch_next_page()
        except TimeoutError:
            return
        kinds = {event.event_type for event in history.current_page or ()}
        is_over = history.next_page_token is None
        if is_first or is_over or EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED in kinds:
            is_first = False
            yield
        if EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW in kinds:
            history = handle.fetch_history_events(wait_new_event=True)
        elif is_over:
            return
