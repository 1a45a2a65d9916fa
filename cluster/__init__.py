"""Where a sweep runs: connecting to Ray."""
