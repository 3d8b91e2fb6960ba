"""Sound in memory: decoding and encoding it, its rate and level, and noise."""
