"""What an engine gives: for each truck the steps in their order. Times, breaks and the final unloading are the planner's."""

from asty_cloud_api.planning.schedule import Step

Order = dict[str, tuple[Step, ...]]
"""Truck -> its stops and the unloadings between them; a truck that stays at home is absent."""


def stops_in(order: Order) -> frozenset[str]:
    """The stops that are served."""
    return frozenset(step.id for steps in order.values() for step in steps if step.kind == "stop")
