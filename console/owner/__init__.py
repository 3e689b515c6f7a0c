"""The owner's pages: the six steps of the process as one calm flow."""
