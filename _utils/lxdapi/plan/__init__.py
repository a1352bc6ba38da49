"""
Steps that make what is what is declared.
"""
