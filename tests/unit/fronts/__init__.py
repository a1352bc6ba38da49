"""
Tests of the modules and outputters that Salt loads.
"""
