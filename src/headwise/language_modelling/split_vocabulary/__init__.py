"""New tokens in splits of their own: layers, rows, checkpoints; no loss."""
