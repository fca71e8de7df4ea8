"""Surfaces: where people see cards and press buttons. One folder each, with `adapter.py`, `render.py`,
`parse.py` and `config.py` in all of them; what chats share lies beside the folders.
"""
