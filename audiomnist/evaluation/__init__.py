"""How well a trained model recognizes digits, and how sure one may be of that."""
