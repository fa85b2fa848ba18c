"""Figures, each side by side with a baseline in one run: `python -m bench`. Tests never time; this does."""
