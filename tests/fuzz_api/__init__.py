"""Both APIs against their descriptions: `python -m tests.fuzz_api`."""
