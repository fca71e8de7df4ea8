"""Ways to people who have no card before them: SMS, e-mail, calls, pagers, each over an Apprise address."""
