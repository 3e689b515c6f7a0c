"""Who may do what: identities, sessions, the one table of rights, and the defences of a web application."""
