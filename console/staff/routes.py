"""Routes: the queue, one ticket with its letter and its decision, the business calendar."""

from console.staff import calendar, decisions, letters, queue, tickets

router = queue.router
for part in (tickets, decisions, letters, calendar):
    router.include_router(part.router)
