"""What is wrong with my data? Tables and parts judged by pure functions, one idea a file."""
