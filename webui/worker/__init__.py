"""The interface between the queue and whatever computes, and the supervisor of the process that computes on this
machine.
"""
