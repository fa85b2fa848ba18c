"""What Laurel is made of besides itself: the list of it (SBOM), and what is known against it."""
