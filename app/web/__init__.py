"""What answers over HTTP. Importing this package loads nothing else."""
