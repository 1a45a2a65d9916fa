"""How values, secrets and mistakes look to a person."""
