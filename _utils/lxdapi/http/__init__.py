"""
Requests, sockets, operations: how the daemons are spoken to.
"""
