"""The domain of Placet: reviews, votes, decisions and the rules between them. No I/O, no clock, no framework."""
