"""MLflow's record: a sink that reads the log, and what it keeps there."""
