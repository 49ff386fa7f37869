"""Scores of translations judged: by numbers, labels, spans and copies with errors; no pages."""
