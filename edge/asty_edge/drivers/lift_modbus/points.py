"""What a lift controller tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("state", None, "idle, raising, dumping, lowering, fault or unknown"),
    PointDescription("cycle", Unit.COUNT, "completed cycles, the controller's own counter"),
    PointDescription("fault", None, "the controller's fault bits"),
    PointDescription("angle", Unit.DEGREE, "of the arm"),
    PointDescription("pressure", Unit.BAR, "hydraulic"),
    PointDescription("uptime", Unit.SECOND, "since the controller started"),
    PointDescription("arm_up", None, "end switch of the arm"),
    PointDescription("clamped", None, "a bin is held"),
    PointDescription("tip", None, "end switch of the tipping position"),
    PointDescription("pto", None, "power take-off engaged"),
    PointDescription("footboard", None, "somebody stands on the footboard"),
)
