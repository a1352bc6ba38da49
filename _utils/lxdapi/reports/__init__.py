"""
Reports: host status, graph, export as SLS, effective config.
"""
