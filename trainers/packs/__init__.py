"""K trials of one structure: what trains them, what they are evaluated by, how many pay."""
