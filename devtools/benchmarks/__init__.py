"""The self-service route measured against a bare twin: `make bench`; how to read it is in `docs/benchmarks.md`."""
