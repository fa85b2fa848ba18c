"""Real processes under load, killed: `laurel serve` and `laurel worker` as they run in production, PostgreSQL crashed at
once, the way between them cut."""
