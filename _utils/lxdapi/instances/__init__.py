"""
Instances: creation, status, commands, copies, snapshots, backups.
"""
