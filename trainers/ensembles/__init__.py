"""Several trained trials as one: what they say together, who of them is taken, how sure that is."""
