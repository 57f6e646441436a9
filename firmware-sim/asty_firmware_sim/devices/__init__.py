"""The devices of trucks, gateways and vests: peers that speak real protocols to an unmodified edge.

They hold no knowledge of the world: they are told what is true and say it on their wire.
"""
