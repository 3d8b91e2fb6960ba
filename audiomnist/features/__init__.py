"""From sound to a network's input: spectra, the word in them, and features."""
