"""Training of the Sigmoid Head; no loop of its own."""
