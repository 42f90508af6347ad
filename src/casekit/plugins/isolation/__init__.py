"""Plugins in processes of their own: what one of them does to itself, it does to itself alone.

A *nursery* is a small process that has imported what plugins import, and nothing of any plugin; it forks *workers*, which
load one plugin each and answer questions about it. Whoever asks has a *stand-in*: an object with the plugin's hooks whose
every call goes over a pipe, as JSON, with a limit of time. A worker that is late is killed, with what it has started.

Nothing of an isolated plugin is imported by the desk: what it declares comes over the pipe as well, and is checked like
whatever comes from outside. What a hook looks at is asked for when it looks, so that a personal value is opened only then.
"""

from casekit.plugins.isolation.limits import Limits, read_limits

__all__ = ["Limits", "read_limits"]
