"""Rules and models of account cancellation: pure Python, no I/O, no Temporal."""
