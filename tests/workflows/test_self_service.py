"""The self-service route, from the first click to CLOSED."""

from domain.phases import Phase
from tests.service import Service


async def test_a_clean_account_goes_from_start_to_closed(service: Service) -> None:
    account = await service.account()
    view = await service.to_report(account)
    assert view.phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    result = await service.request(account).result()
    assert result.outcome is Phase.CLOSED
    certificate = await service.desk.certificate(result.request_no)
    assert certificate.account_id == account
