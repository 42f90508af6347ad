"""A seat, as far as it gives commands to cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casekit.desk.graves import told_if_disposed
from casekit.desk.looking import Asking, CaseRef
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Case, Done


class Commanding(Asking):
    """What every command of a seat on a case goes through."""

    def _on(self, spec: Spec, case: CaseRef, decide: Callable[[Turn], None], args: Mapping[str, Any], **more: Any) -> Done:
        value = case.case if isinstance(case, Done) else case
        version = value.version if isinstance(value, Case) else None
        uuid = self._id(case)
        call = Call(spec, self.actor, {"case": uuid, **args}, version=version, **more)
        with told_if_disposed(self.desk, self.actor, uuid):
            return self.desk.bus.on_case(call, uuid, decide, self._batch)
