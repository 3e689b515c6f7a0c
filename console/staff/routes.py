"""Routes: the queue, one ticket with its letter and its decision, the business calendar."""

from console.staff import calendar, decisions, queue, tickets

router = queue.router
for part in (tickets, decisions, calendar):
    router.include_router(part.router)
