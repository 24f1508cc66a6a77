"""What decides whether a challenger may become champion: a table of rules, each with its figures."""

from lslm.serving.latency import Latency
from lslm.tracking.gate.decision import decide, judged
from lslm.tracking.gate.evidence import Challenger, Evidence, gather
from lslm.tracking.gate.opponent import Opponent
from lslm.tracking.gate.slices import Slice

__all__ = ["Challenger", "Evidence", "Latency", "Opponent", "Slice", "decide", "gather", "judged"]
