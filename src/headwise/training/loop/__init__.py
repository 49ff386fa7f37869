"""The one training loop, its batches, run file and card; no objective."""
