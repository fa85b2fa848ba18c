"""The job queue: tasks that each call one service, when they are tried again, what runs by the clock, the workers."""
