"""Typed records, one reader or writer a file format, and jobs over rows; no models."""
