# A container that cloud-init sets up at its first start, with a larger disk than its profile gives it.
# Both are data, so Jinja and pillar can supply any part.

cloud1:
  lxdapi_instance.present:
    - source: busybox
    - cloud_init:
        user_data:
          package_update: true
          packages: {{ salt["pillar.get"]("packages", ["nginx"]) | json }}
          users:
            - name: shop
              shell: /bin/bash
              ssh_authorized_keys:
                - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKc1rWp0nJ6SmO0pVzB2 shop@example.com
          write_files:
            - path: /usr/local/bin/hello
              permissions: '0755'
              content: |
                #!/bin/sh
                echo "hello from $(hostname)"
          runcmd:
            - [/usr/local/bin/hello]
        network:
          version: 2
          ethernets:
            eth0:
              dhcp4: true
    - devices_override:
        root:
          size: 5GiB
