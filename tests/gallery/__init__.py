"""Laurel's faces in the shops, as pictures: for people to look at. Nothing of it is a test."""
