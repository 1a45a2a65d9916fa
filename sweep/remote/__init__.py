"""Sweeps elsewhere: manifests of a cluster, and submission to one that runs."""
