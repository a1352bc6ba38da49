"""
What the tests stand on: daemons, proxies, images, fakes.
"""
