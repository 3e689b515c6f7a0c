"""The application: one use case in one place, for pages, API and command line."""
