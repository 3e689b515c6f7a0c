"""A request: its workflow, the owner's updates, its state, and what it does in its phases."""
