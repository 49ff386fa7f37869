"""A model's own loss without its logits, patched in and checked; no heads."""
