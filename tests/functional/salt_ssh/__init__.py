"""
Functional tests of instances as targets of salt-ssh.
"""
