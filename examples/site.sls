# A small site: a DNS zone, an ACL, a network that uses both, storage, a profile, a container behind a forward.
#
# States run in the order of the file, so each resource comes after the ones that it needs. An ID must be unique in a
# highstate: the ACL and the profile have the same name, so they set `name`.

busybox:
  lxdapi_image.present:
    - source: salt://busybox.tar.gz

site.example.com:
  lxdapi_network_zone.present:
    - description: names of the site

site.example.com/www:
  lxdapi_network_zone_record.present:
    - entries:
        - type: A
          value: 192.0.2.10
          ttl: 300

acl of the site:
  lxdapi_network_acl.present:
    - name: site
    - ingress:
        - action: allow
          protocol: tcp
          destination_port: "80,443"
    - purge: true                       # no other rule than these

sitebr0:
  lxdapi_network.present:
    - description: the site
    - config:
        ipv4.address: 10.88.1.1/24
        ipv4.nat: true
        ipv6.address: none
        dns.zone.forward: site.example.com
        security.acls: site

sitebr0/192.0.2.10:
  lxdapi_network_forward.present:
    - ports:
        - protocol: tcp
          listen_port: "80,443"
          target_address: 10.88.1.10

default/site-data:
  lxdapi_storage_volume.present:
    - description: what the site keeps

site:
  lxdapi_profile.present:
    - config:
        limits.memory: 64MiB
    - devices:
        root: {type: disk, path: /, pool: default}
        eth0: {type: nic, network: sitebr0, name: eth0}

app1:
  lxdapi_instance.present:
    - source: busybox
    - profiles: [site]
    - devices:
        eth0: {type: nic, network: sitebr0, name: eth0, ipv4.address: 10.88.1.10}
        data: {type: disk, pool: default, source: site-data, path: /data}
    - running: true

app1/installed:
  lxdapi_instance_snapshot.present
