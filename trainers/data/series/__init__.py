"""Long series cut into windows that are views."""
