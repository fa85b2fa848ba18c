"""Laurel: points, tiers and rewards for shops. Importing this package loads nothing else."""
