"""From a segment to its outputs: cells, recurrence, masks, dropout, stem, readout, head."""
