"""The demo: the whole job on real parts, with a local AWS that enforces trust.

Owns the customer's side of the story (accounts, bucket, files, role) and drives the product only
through its command line and its HTTP API, like anybody else. No other room imports this one.
"""
