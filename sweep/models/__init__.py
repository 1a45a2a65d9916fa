"""Finalists as MLflow models: logged, registered, found again, used."""
