"""
The documented behavior of the daemons, checked by raw requests.
"""
