"""Numbers, dates and times in running text, and what they say; no models."""

from headwise.data.quantities.found import Quantity, quantities, unsupported_quantities

__all__ = ["Quantity", "quantities", "unsupported_quantities"]
