"""`/healthz` (the process lives) and `/readyz` (Temporal answers)."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from temporalio.service import RPCError

from console.services import Desk

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(desk: Desk) -> JSONResponse:
    try:
        ready = await desk.client.service_client.check_health(timeout=timedelta(seconds=2))
    except (RPCError, RuntimeError):
        ready = False
    return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)
