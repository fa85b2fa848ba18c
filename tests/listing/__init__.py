"""What the app directories show of Laurel, made from its own pages by one command."""
