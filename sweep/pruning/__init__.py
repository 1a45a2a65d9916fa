"""What rungs decide, and what deciding so has cost."""
