"""
Instances: creation, power states, commands, copies, migration, snapshots, backups.
"""
