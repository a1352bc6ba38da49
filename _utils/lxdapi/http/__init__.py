"""
The HTTP client: sessions, connections, requests, replies and operations.
"""
