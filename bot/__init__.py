"""The running service: configuration, agent API, desk, outbox, timers, people, command line."""
