"""Measurements of the real routes against a bare twin on the same server."""
