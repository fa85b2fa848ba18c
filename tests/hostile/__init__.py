"""Input that means harm, or was garbled on the way: whatever comes in, nothing breaks and nothing is invented."""
