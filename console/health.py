"""`/healthz` (the process lives) and `/readyz` (Temporal answers)."""

import asyncio
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from temporalio.service import RPCError

from console.services import WithServices

router = APIRouter(include_in_schema=False)

_PATIENCE: Final = timedelta(seconds=2)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(services: WithServices) -> JSONResponse:
    try:
        # Temporal's own limit does not count the time to connect.
        async with asyncio.timeout(2 * _PATIENCE.total_seconds()):
            ready = await services.client.service_client.check_health(timeout=_PATIENCE)
    except (RPCError, RuntimeError, TimeoutError):
        ready = False
    return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)
