"""The real route against the same process hand-written on DBOS Transact: `make bench-peers`; docs/benchmarks.md, Peers."""
