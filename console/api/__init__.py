"""The REST API, `/api/v1`: the process for programs, in any language."""
