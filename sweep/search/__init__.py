"""The search: an Optuna study that is asked and told, and what other Optuna tools read of it."""
