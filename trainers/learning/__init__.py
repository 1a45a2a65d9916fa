"""How one trial learns: batches, truncated BPTT, losses, metrics, optimizers."""
