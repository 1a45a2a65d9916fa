"""The command line: commands, what they print, and the live table."""
