"""The commands of `starter.py`, by who runs them: each takes what was typed and returns an `Answer`."""
