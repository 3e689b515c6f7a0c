"""The self-service route, from the first click to CLOSED."""

from domain.checks import Reason
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.phases import Phase
from tests.support.service import Service
from workflows.common.search_attributes import BLOCKING_REASONS, CANCELLATION_PHASE


async def test_a_clean_account_goes_from_start_to_closed(service: Service) -> None:
    account = await service.account()
    view = await service.to_report(account)
    assert view.phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    result = await service.request(account).result()
    assert result.outcome is Phase.CLOSED
    certificate = await service.cancellations.certificate(result.request_no)
    assert certificate.account_id == account


async def test_ops_can_search_for_what_blocks_a_request_only_while_it_does(service: Service) -> None:
    account = await service.account(arrears_fen=100)
    await service.to_report(account)
    blocked = (await service.request(account).describe()).typed_search_attributes
    assert (blocked[CANCELLATION_PHASE], blocked[BLOCKING_REASONS]) == (Phase.BLOCKED, [Reason.ARREARS_UNPAID])
    await service.store.set_facts(account, arrears_fen=0)
    await service.recheck(account)
    cleared = (await service.request(account).describe()).typed_search_attributes
    assert (cleared[CANCELLATION_PHASE], cleared.get(BLOCKING_REASONS)) == (Phase.AWAITING_CONFIRMATION, None)


async def test_a_search_attribute_is_written_only_when_it_changes(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    await service.confirm(account)
    await service.request(account).result()
    for workflow_id in (cancellation_workflow_id(account), deletion_workflow_id(account)):
        history = await service.client.get_workflow_handle(workflow_id).fetch_history()
        known = dict(history.events[0].workflow_execution_started_event_attributes.search_attributes.indexed_fields)
        upserts = [e.upsert_workflow_search_attributes_event_attributes for e in history.events]
        written = [dict(u.search_attributes.indexed_fields) for u in upserts if u.search_attributes.indexed_fields]
        assert written
        for fields in written:
            assert [name for name, value in fields.items() if known.get(name) == value] == []
            known |= fields
