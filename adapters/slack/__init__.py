"""Slack as a surface: cards in channels and direct messages, buttons, private answers."""
