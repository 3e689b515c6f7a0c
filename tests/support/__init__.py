"""What tests share: the service with real parts, ways to a situation, and ways to make trouble."""
