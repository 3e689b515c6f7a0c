"""How owners get in: by a short-lived link that the backend asks for, good for one account and one use."""

from fastapi import APIRouter, Request, Response

from console.access.guard import NotSignedIn

router = APIRouter(include_in_schema=False)


@router.get("/arrive")
async def arrive(request: Request) -> Response:
    raise NotSignedIn
