"""For developers only, in no image and no wheel: local stack, demo, benchmarks, screenshots."""
