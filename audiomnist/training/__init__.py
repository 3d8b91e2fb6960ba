"""Train a network: its data, their augmentation, the loop and its history."""
