"""What the tests of plugins inherit: a base class, case files without a store, a desk whose clock stands still."""

from casekit.testing.desks import StandingClock, a_desk
from casekit.testing.plugintests import PluginTests
from casekit.testing.views import a_document, a_message, a_person, a_view, only

__all__ = ["PluginTests", "StandingClock", "a_desk", "a_document", "a_message", "a_person", "a_view", "only"]
