"""Training of the abstention head; no loop of its own."""
