"""Objectives, and their wiring into Transformers' Trainer; no scoring."""
