"""Webhooks: what happens here, told to other people's programs.

`hooks` knows who wants to hear what, `deliveries` keeps what is to be told in the transaction of the fact, `sending`
is the worker's part, and `addresses` decides which addresses on the internet it may open.
"""
