"""The people's side: a REST API for the cloud's backend, pages for owners, and the support console.

It talks to the process through `service` only, and keeps nothing itself: no database, no state but caches.
"""
