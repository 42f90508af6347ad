"""Requirements judged, all of them at once: met, not met, or not known because data is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from casekit.decisions.compiled import Compiled
from casekit.decisions.conditions import Explained, Inputs
from casekit.model.answers import Objection


@frozen
class Judged:
    """What became of one requirement.

    Attributes:
        key: Its key.
        met: True, False, or None where it is not known.
        unmet, citation, remedy: What the requirement says.
        because: Its condition, explained part by part; None where a plugin judged.
        plugin, version: The plugin that judged; empty: the case type itself.
        failed: What went wrong, where a plugin raised.
    """

    key: str
    met: bool | None
    unmet: str = ""
    citation: str = ""
    remedy: str = ""
    because: Explained | None = None
    plugin: str = ""
    version: str = ""
    failed: str = ""

    def objection(self) -> Objection:
        """What it has to say against a command."""
        missing = ", ".join(self.because.missing) if self.because else ""
        words = self.unmet or (f"The condition does not hold: {self.because.text}" if self.because else "The rule is not met.")
        args = {}
        if self.failed:
            words, args = "The rule could not be asked: {failed}", {"failed": self.failed}
        elif self.met is None:
            words = f"It can't be known whether this holds: {words}" + (" Missing: {missing}." if missing else "")
            args = {"missing": missing} if missing else {}
        return Objection(self.key, words, args, self.citation, None, self.remedy, self.plugin or "casekit", self.version)


def judge(definition: Compiled, keys: Iterable[str], inputs: Inputs, foreign: Mapping[str, Judged]) -> list[Judged]:
    """Every requirement, in the order in which they are named; ``foreign`` holds what plugins have judged.

    One that nobody has judged is not met: a rule whose plugin is gone must not wave anything through.
    """
    return [
        _own(definition, key, inputs) if key in definition.requirements else foreign.get(key) or _nobody(key) for key in dict.fromkeys(keys)
    ]


def _nobody(key: str) -> Judged:
    return Judged(key, None, failed="no plugin here answers it", remedy="install the plugin that brings the rule")


def _own(definition: Compiled, key: str, inputs: Inputs) -> Judged:
    says, when = definition.requirements[key]
    met = when.holds(inputs)
    return Judged(key, met, says.unmet, says.citation, says.remedy, None if met else when.explain(inputs))
