"""Instances as targets of salt-ssh, without a network and without sshd in them."""
