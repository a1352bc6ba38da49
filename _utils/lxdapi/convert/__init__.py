"""
Conversion of other tools' files to SLS files for lxdapi.
"""
