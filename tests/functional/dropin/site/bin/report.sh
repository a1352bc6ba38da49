#!/bin/sh
# What the nightly mail says about the shop.
salt-call --local lxd.profile_config_get shop limits.memory
salt-call --local lxd.container_config_get web1 user.role
salt-call --local lxd.container_execute web1 '["echo", "hello"]'
