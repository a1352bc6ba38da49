"""
Tests of images with real daemons.
"""
