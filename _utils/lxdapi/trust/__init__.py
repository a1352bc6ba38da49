"""
Certificates, keys and tokens.
"""
