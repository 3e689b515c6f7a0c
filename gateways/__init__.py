"""How activities reach other systems: the ports, the platform over HTTP, the vault."""
