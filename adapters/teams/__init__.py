"""Microsoft Teams as a surface."""
