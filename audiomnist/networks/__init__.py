"""Network architectures in Keras, untrained, and their files."""
