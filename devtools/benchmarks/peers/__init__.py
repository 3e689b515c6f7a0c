"""The real route against the same process on DBOS Transact: `make bench-peers`; docs/benchmarks.md, Peers."""
