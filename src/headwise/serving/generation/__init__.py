"""Texts that are written for requests, and how they look as they come; no scoring logic."""
