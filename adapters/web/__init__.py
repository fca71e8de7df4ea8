"""The web inbox: the queue, the review page, and the door people come in by."""
