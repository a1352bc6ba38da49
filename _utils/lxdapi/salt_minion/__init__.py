"""Instances as minions of a master: their keys, their installation, and the wait for their first answer."""
