"""Tables as people have them: files read, columns of numbers."""
