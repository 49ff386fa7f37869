"""Typed records, and one reader or writer a file format; no models."""
