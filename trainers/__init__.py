"""How a pack of trials learns: torch, numpy, pandas; never ray, optuna or mlflow."""
