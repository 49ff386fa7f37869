"""Hidden states and top tokens of a frozen model, live or from an on-disk cache; no objectives."""

from headwise.features.batch import FeatureBatch, FeatureSource
from headwise.features.cache import CachedFeatures, open_features
from headwise.features.examples import Example, encode_examples
from headwise.features.extraction import estimate_bytes, extract_features
from headwise.features.fingerprint import FeatureSpec
from headwise.features.live import LiveFeatures

__all__ = [
    "CachedFeatures",
    "Example",
    "FeatureBatch",
    "FeatureSource",
    "FeatureSpec",
    "LiveFeatures",
    "encode_examples",
    "estimate_bytes",
    "extract_features",
    "open_features",
]
