"""The support console: the queue, one ticket, the decision, the business calendar."""
