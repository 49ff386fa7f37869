"""Questions that are asked of scores, one protocol a file."""
