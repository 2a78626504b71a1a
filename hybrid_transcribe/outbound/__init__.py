"""Addresses that strangers name: fetched from and called back without becoming their tool.

What this process can reach, they may not: other services of this machine and its network, and
the cloud's own address for its secrets.
"""
