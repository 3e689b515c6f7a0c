"""The bare twin is a fair measure only while it is the same request, event by event."""

from collections import Counter
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from devtools.benchmarks.routes import Ours, Play, Twin
from devtools.benchmarks.variants import Variant, build_variant
from runtime.settings import Settings
from tests.support.service import Service

_OURS_ALONE = {
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    # Of a check that came after the first release.
    EventType.EVENT_TYPE_MARKER_RECORDED,
}
_BY_CHANCE = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
}
"""How many answers one workflow task takes together, and which waits are over before they begin: as they arrive."""


async def test_the_twin_has_the_events_of_a_clean_request(service: Service) -> None:
    settings = Settings(task_queue=f"twin-{uuid4().hex[:8]}", vault_url="memory:///")
    ours = Ours(service.cancellations, service.client, service.store.add_clean_accounts, service.store.latest_code)
    twin = Twin(service.client, settings.task_queue)
    async with build_variant(Variant.TWIN, service.client, settings):
        assert await _events(service.client, twin) == await _events(service.client, ours)


async def test_the_twin_is_timed_by_the_same_steps(service: Service) -> None:
    settings = Settings(task_queue=f"twin-{uuid4().hex[:8]}", vault_url="memory:///")
    ours = Ours(service.cancellations, service.client, service.store.add_clean_accounts, service.store.latest_code)
    async with build_variant(Variant.TWIN, service.client, settings):
        [account_id] = await ours.accounts(1)
        twin = await Twin(service.client, settings.task_queue).play(f"twin-{uuid4().hex}")
        assert list(twin) == list(await ours.play(account_id))


async def _events(client: Client, play: Play) -> list[dict[str, int]]:
    """How often each type of event occurs, in the request and in its deletion."""
    [account_id] = await play.accounts(1)
    await play.play(account_id)
    counts = []
    for workflow_id in play.histories(account_id):
        events = (await client.get_workflow_handle(workflow_id).fetch_history()).events
        types = [event.event_type for event in events if event.event_type not in _OURS_ALONE | _BY_CHANCE]
        counts.append({EventType.Name(kind): number for kind, number in sorted(Counter(types).items())})
    return counts
