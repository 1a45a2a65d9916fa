"""Manifests from a sweep: pure functions from a `Deployment` to text."""
