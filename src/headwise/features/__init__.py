"""Hidden states and top tokens of a frozen model, live or from an on-disk cache; no objectives."""

from headwise.features.batch import FeatureBatch, FeatureSource, SelectedFeatures
from headwise.features.cache import CachedFeatures, open_features
from headwise.features.examples import Example, encode_examples
from headwise.features.extraction import estimate_bytes, extract_features
from headwise.features.fingerprint import FeatureSpec
from headwise.features.inference_features import (
    EncodedInferences,
    InferenceFeatures,
    cached_inferences,
    encode_inferences,
    live_inferences,
)
from headwise.features.live import LiveFeatures
from headwise.features.vectors import (
    CachedVectors,
    LiveVectors,
    VectorKind,
    VectorSource,
    extract_vectors,
)

__all__ = [
    "CachedFeatures",
    "CachedVectors",
    "EncodedInferences",
    "Example",
    "FeatureBatch",
    "FeatureSource",
    "FeatureSpec",
    "InferenceFeatures",
    "LiveFeatures",
    "LiveVectors",
    "SelectedFeatures",
    "VectorKind",
    "VectorSource",
    "cached_inferences",
    "encode_examples",
    "encode_inferences",
    "estimate_bytes",
    "extract_features",
    "extract_vectors",
    "live_inferences",
    "open_features",
]
