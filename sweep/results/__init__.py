"""A sweep for whoever reads it: tables, replicates, audits, comparison, export."""
