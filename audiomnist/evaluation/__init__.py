"""How well a trained model recognises digits, and how sure one may be of that."""
