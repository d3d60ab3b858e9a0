"""Training: `run` does all of it, `fitting` fits weights, `checkpoints` keeps what was done."""
