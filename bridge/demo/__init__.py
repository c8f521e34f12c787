"""A whole bridge with phones, a button and a lamp on loopback, and a story that checks what happens there."""
