"""What all workflows share: options of activities, status for operations, messages, cancellation."""
