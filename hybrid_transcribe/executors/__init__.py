"""Where a worker runs: in a process of its own, or right here for tests."""
