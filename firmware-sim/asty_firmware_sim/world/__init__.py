"""The world that the devices sense: streets, bins, trucks, crews and what goes wrong. Pure: no I/O, no waiting, no clock of its own.

bins   what fills            roads  how a truck drives       lift   one lift cycle as a timeline
crew   who wears a vest      faults what goes wrong, when    truck  one truck's day
senses what sensors would sense now, and what happened       world  all of it, in ticks
history the records that an ideal edge would have made of it
"""

from asty_firmware_sim.world.history import history
from asty_firmware_sim.world.senses import GatewaySenses, LiftTruth, TagOnAir, TruckSenses
from asty_firmware_sim.world.truck import Errand
from asty_firmware_sim.world.world import World

__all__ = ["Errand", "GatewaySenses", "LiftTruth", "TagOnAir", "TruckSenses", "World", "history"]
