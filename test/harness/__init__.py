"""What the tests with real processes share: a private PostgreSQL, weir itself, waiting, comparing."""
