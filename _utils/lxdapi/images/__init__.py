"""
Images: uploads, image servers, publishing, copies.
"""
