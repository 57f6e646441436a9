"""The roads: travel times and legs by Valhalla, kept matrices, closed streets."""
