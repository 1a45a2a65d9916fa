"""Data sets that the project brings, draws or downloads."""
