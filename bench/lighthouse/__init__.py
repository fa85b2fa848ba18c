"""What Laurel's element costs a shop's page: Lighthouse, and long tasks with a processor a quarter as fast."""
