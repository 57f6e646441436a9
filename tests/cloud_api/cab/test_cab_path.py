"""The path that the planner gives is one that the tablet can follow."""

from asty_cloud_api.dispatch.sheet import Sheet, path_of


def test_every_leg_names_the_stop_to_which_it_leads_whatever_the_roads_called_it() -> None:
    stops = [{"n": 1, "kind": "bin", "done": True}, {"n": 2, "kind": "bin"}, {"n": 3, "kind": "break"}, {"n": 4, "kind": "garage"}]
    legs = [{"to": 0, "metres": metres, "seconds": 1, "shape": [], "turns": []} for metres in (7, 9)]
    assert [(leg["to"], leg["metres"]) for leg in path_of(Sheet("truck-01", stops, (), {}), legs)] == [(1, 0), (2, 7), (3, 0), (4, 9)]  # type: ignore[arg-type]
