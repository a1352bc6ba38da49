"""
Projects: their rules beyond the table of kinds.
"""

from lxdapi.model.schema import Kind


class Project(Kind):
    """A project has a profile of its own from the start, which is deleted with it."""

    implicit_users = ("profiles/default?project={name}",)
