"""What came out, drawn: plots as marks, as SVG and as PNG, and one HTML page of all of it."""
