"""Training of the NLI head; no loop of its own."""
