"""The stories that the demo plays on a real local stack."""
