"""A pretend cloud platform that serves the platform contract, for the demo and the tests."""
