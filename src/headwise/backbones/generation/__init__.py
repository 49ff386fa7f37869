"""Text that a language model writes: drawn from it, ended, and its tokens placed; no scores."""
