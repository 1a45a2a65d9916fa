"""The report's part on what the best trial says of the test part: forecasts, errors, classes."""
