"""From a data file to a sweep: what the file holds, what is wrong with it, a sweep file for it."""
