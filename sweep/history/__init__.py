"""The log folded: trials, rungs, the ledger, curves, what is best."""
