"""
Tests of images on real daemons.
"""
