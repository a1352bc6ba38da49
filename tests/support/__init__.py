"""
Shared code of the tests: daemons, proxies, images, fakes.
"""
