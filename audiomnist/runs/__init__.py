"""Training runs: what each is made of, its folder, its process and the queue."""
