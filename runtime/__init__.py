"""What every process shares: settings, logging, the Temporal client and its data converter, metrics."""
