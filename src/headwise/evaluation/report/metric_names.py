"""The names of metrics as papers write them."""

# Names as papers write them; any other name stands as it is, without underscores.
_LABELS = {
    "pearson": "Pearson r",
    "spearman": "Spearman \N{GREEK SMALL LETTER RHO}",
    "kendall": "Kendall τ",
    "acc_eq": "acc*eq",
    "system_acc": "System accuracy",
    "roc_auc": "ROC AUC",
    "average_precision": "AP",
    "brier": "Brier",
    "log_loss": "Log loss",
    "ece": "ECE",
    "mcc": "MCC",
    "f1": "F1",
    "f1_wrong": "F1 wrong",
    "f1_right": "F1 right",
    "precision": "Precision",
    "recall": "Recall",
    "span_precision": "Span precision",
    "span_recall": "Span recall",
    "span_f1": "Span F1",
    "prr": "PRR",
    "aurc": "AURC",
    "under_confidence": "Under-confidence",
    "over_confidence": "Over-confidence",
}


def metric_label(name: str) -> str:
    """A metric's name for a reader.

    Args:
        name: The metric, such as ``roc_auc``.
    """
    return _LABELS.get(name, name.replace("_", " "))
