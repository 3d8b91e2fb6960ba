"""Made-up results to draw, and what was drawn."""

import io

import numpy as np
import pandas as pd

PROBABILITIES = np.array([0.02] * 7 + [0.8, 0.03, 0.03])


def matrix_of(no_answer: int = 0) -> np.ndarray:
    matrix = np.eye(10, 11, dtype=int) * 20
    matrix[3, 8] = 4
    matrix[6, 10] = no_answer
    return matrix


def speaker_table(n: int) -> pd.DataFrame:
    accuracy = np.linspace(0.6, 1, n)
    return pd.DataFrame(
        {
            "speaker": [f"voice{i}" for i in range(n)],
            "n": 20,
            "accuracy": accuracy,
            "low": accuracy - 0.1,
            "high": np.minimum(1, accuracy + 0.05),
        }
    )


def coverage_table(has_other_words: bool = True, least: float = 0.2) -> pd.DataFrame:
    threshold = np.linspace(0, 0.95, 20)
    coverage = np.linspace(0.99, least, 20)
    accuracy = np.linspace(0.94, 1, 20)
    false_answers = np.linspace(0.9, 0, 20) if has_other_words else np.full(20, np.nan)
    return pd.DataFrame(
        {
            "threshold": threshold,
            "coverage": coverage,
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.02,
            "accuracy_high": np.minimum(1, accuracy + 0.01),
            "false_answers": false_answers,
            "false_answers_low": np.maximum(0, false_answers - 0.1),
            "false_answers_high": np.minimum(1, false_answers + 0.1),
        }
    )


def bin_table() -> pd.DataFrame:
    accuracy = np.array([0.1, 0.5, 0.98])
    return pd.DataFrame(
        {
            "confidence": [0.25, 0.55, 0.95],
            "accuracy": accuracy,
            "n": [7, 40, 1234],
            "low": accuracy - 0.1,
            "high": np.minimum(1, accuracy + 0.1),
        }
    )


def pixels_of(figure) -> np.ndarray:
    from matplotlib.image import imread

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    file.seek(0)
    return imread(file)
