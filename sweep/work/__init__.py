"""What workers are told, do and say, and where they live."""
