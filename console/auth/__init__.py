"""Who may do what: identities, sessions, the one table of permissions, and the defences of a web application."""
