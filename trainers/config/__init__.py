"""What one trial trains: settings, their laws, and what fits which data; free of torch."""
