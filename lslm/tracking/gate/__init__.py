"""What decides whether a challenger may become champion: a table of rules, each with its figures."""

from lslm.tracking.gate.decision import decide
from lslm.tracking.gate.evidence import Challenger, Evidence, gather
from lslm.tracking.gate.opponent import Opponent
from lslm.tracking.gate.slices import Slice
from lslm.tracking.gate.speed import Latency

__all__ = ["Challenger", "Evidence", "Latency", "Opponent", "Slice", "decide", "gather"]
