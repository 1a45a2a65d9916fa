"""Sweeps that run as they are: one YAML file each, found by `sweep.config.file`."""
