"""The manual: its pages, how they become HTML, how they are searched, and the tables that follow from declarations.

Knows no HTTP and no torch.
"""
