"""Train a network: its data, its augmentation, the loop and its history."""
