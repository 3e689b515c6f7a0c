"""`CANCELLATION_MAX_ACTIVITIES_PER_SECOND`: what limits all workers together, Temporal itself has to know."""

from functools import partial
from typing import Final

from temporalio.api.enums.v1 import RateLimitSource, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse

from domain.ids import deletion_task_queue
from tests.support.service import Service, eventually
from tests.support.tickets import own_queue

LIMIT: Final = 321.0


async def activity_queue(service: Service, task_queue: str) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=service.client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        report_config=True,
        report_stats=True,
    )
    return await service.client.workflow_service.describe_task_queue(request)


async def test_temporal_limits_both_task_queues_each_by_itself(service: Service) -> None:
    limited = own_queue(service)

    async def limit(task_queue: str) -> float:
        found = (await activity_queue(limited, task_queue)).effective_rate_limit
        is_ours = found.rate_limit_source == RateLimitSource.RATE_LIMIT_SOURCE_WORKER
        return found.requests_per_second if is_ours else 0

    async with limited.worker(max_activities_per_second=LIMIT):
        for task_queue in (limited.task_queue, deletion_task_queue(limited.task_queue)):
            await eventually(partial(limit, task_queue), lambda found: found == LIMIT)


async def test_no_activity_passes_the_limited_queue_by(service: Service) -> None:
    limited = own_queue(service)

    async def handed_out() -> float:
        return (await activity_queue(limited, limited.task_queue)).stats.tasks_dispatch_rate

    async with limited.worker(max_activities_per_second=LIMIT):
        await limited.start(await limited.account())
        await eventually(handed_out, lambda rate: rate > 0)
