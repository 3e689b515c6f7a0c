"""The API's routes, by who uses them."""

from fastapi import APIRouter

from console.api import notices, requests, tickets

router = APIRouter()
router.include_router(notices.router)
router.include_router(requests.router)
router.include_router(tickets.router)
