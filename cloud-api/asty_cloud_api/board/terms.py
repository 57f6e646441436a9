"""The board's words for what the tables abbreviate; each is a term that the catalogues translate."""

STOP_STATES = {
    "served": "Served",
    "missed": "Missed",
    "next": "Next stop",
    "left": "Still to do",
    "passed": "Passed over",
    "undone": "Not done",
    "withdrawn": "Taken out of the plan",
    "unplanned": "Unplanned lift",
}
STOP_SIGNS = {
    "served": "good",
    "missed": "bad",
    "next": "calm",
    "left": "off",
    "passed": "warn",
    "undone": "bad",
    "withdrawn": "off",
    "unplanned": "warn",
}
REASONS = {
    "not_out": "Bin not put out",
    "contaminated": "Contaminated content",
    "overloaded": "Overloaded bin",
    "no_access": "No access",
    "damaged": "Damaged bin",
    "unsafe": "Not safe",
    "truck_full": "Truck full",
    "other": "Other reason",
}
SAID_BY = {"lift": "Lift", "driver": "Driver", "dispatcher": "Dispatcher", "sensor": "Sensor", "forecast": "Forecast", "citizen": "Citizen"}
STOP_KINDS = {"bin": "Bin", "station": "Transfer station", "garage": "Depot", "break": "Break"}
ROUTE_STATES = {"accepted": "Accepted", "seen": "Seen by the driver", "delivered": "On the tablet", "told": "Not delivered yet"}
ROUTE_SIGNS = {"accepted": "good", "seen": "calm", "delivered": "calm", "told": "warn"}
BASES = {
    "position": "from the truck's position",
    "last_stop": "from its last stop: no fresh position",
    "plan": "as planned: it has not set out",
}
PLAN_STATES = {"proposed": "Proposed", "running": "In force", "replaced": "Replaced", "rejected": "Rejected"}
PLAN_SIGNS = {"proposed": "warn", "running": "good", "replaced": "off", "rejected": "bad"}
TRIGGERS = {
    "overflow": "Bin overflows",
    "truck_full": "Truck full",
    "breakdown": "Breakdown",
    "street_closed": "Street closed",
    "skip": "Stop skipped",
    "must_visit": "Must be served today",
    "first_plan": "First plan of the day",
}
TRIGGER_STATES = {"waiting": "Waits for the planner", "answered": "Answered by a plan", "ignored": "No change needed"}
TRIGGER_SIGNS = {"waiting": "warn", "answered": "good", "ignored": "off"}
CLOSURE_KINDS = {"works": "Road works", "market": "Street market", "event": "Event", "obstacle": "Obstacle"}
CLOSURE_STATES = {"now": "Closed now", "coming": "Coming", "over": "Over"}
CLOSURE_SIGNS = {"now": "bad", "coming": "warn", "over": "off"}
TICKETS = {
    "no_tag": "Lifted without a tag",
    "never_read": "Tag never read",
    "unknown_tag": "Tag not in the register",
    "swapped": "Tag of another bin",
    "moved": "Bin at another place",
}
TICKET_STATES = {"open": "Open", "closed": "Closed"}
SENDERS = {"dispatcher": "Dispatcher", "driver": "Driver"}
LEFT_OUT = {
    "bad_number": "A number of the register can't be used",
    "bad_place": "Its place is not on the map",
    "duplicate": "It stands twice in the day",
    "unreachable": "No truck can drive there and back",
    "no_truck": "There is no truck",
    "no_stream": "No truck takes this stream",
    "no_skill": "No crew can serve it",
    "no_station": "No open station takes its load",
    "too_big": "Its load is more than a truck holds",
    "outside_shift": "Its hours lie outside every shift",
    "cannot_end": "The truck could not come home in time",
    "no_time": "More work than the shifts hold",
    "no_break": "The driver's break does not fit",
    "not_worth": "It can wait: not full enough for the way",
    "skipped": "The driver skipped it",
    "broken_down": "Its truck broke down",
}
ROADS = {
    "no_street": "No street that a truck may use is near it",
    "closed": "Its street is closed",
    "no_way_in": "No way leads to it",
    "no_way_out": "No way leads back from it",
    "cut_off": "It is cut off from the rest of the roads",
}
"""Of `unreachable`, where the roads know more."""
FIELDS = {
    "load": "Its load is not a number that can be planned",
    "times": "Its service time or its hours are not a number",
    "numbers": "A capacity, a price or a time of the truck is not a number",
    "shift": "Its shift does not fit into the day",
    "capacity_kg": "The register does not say how many kg it carries",
    "capacity_l": "The register does not say how many litres its body holds",
    "depot": "The register has no depot with a place on the map",
}
"""Of `bad_number` and, for the depot, `bad_place`."""
WITH_PARAMS = {
    "no_stream": "No truck takes this waste stream: %(stream)s",
    "no_skill": "No truck for %(stream)s has what it needs: %(skills)s",
    "no_station": "No open station takes %(stream)s within a shift",
    "too_big": "Its load, %(kg)s and %(litres)s, is more than a truck for it holds",
    "not_worth": "It can wait: emptying it is worth %(prize)s today, less than the way to it",
    "skipped": "The driver skipped it: %(said)s",
    "broken_down": "It broke down with %(kg)s aboard",
}
"""The reasons that have more to say, when the planner gave these parameters."""
TODAY = {"no_stream": "The trucks for %(stream)s carry another waste stream today"}
"""Of reasons that only hold for this plan."""
REFUSALS = {
    "no_stream": "it does not take this waste stream",
    "no_skill": "it lacks what the stop needs",
    "too_big": "the load is more than it holds",
    "unreachable": "it can't drive there and back",
    "no_station": "no open station would take the load in time",
    "outside_shift": "it can't be there in the stop's hours and home in time",
    "other_stream": "it carries another waste stream in this plan",
    "no_place": "its route has no place where hours, load, break and shift all hold",
    "costs": "it would cost %(cost)s more",
}
ANSWERS = {
    "no_day": "The day has no plan: the register has no bins or no trucks",
    "no_truck_of_register": "%(truck)s is no truck of the register that can be planned",
    "no_truck_of_day": "%(truck)s is no truck of this day's plan, or not any more",
    "no_stop_of_day": "%(stop)s is no stop of this day's plan, or not any more",
    "no_bin": "%(stop)s is no bin of the register, and no place was told",
    "done_since": "%(stop)s was served by %(truck)s after that was said",
    "on_route": "%(stop)s is on the route of %(truck)s already",
    "not_planned": "No plan could be made of it; the one before goes on",
    "waits": "Version %(version)s of the plan waits for approval",
    "new_routes": "New route for %(trucks)s",
    "same_routes": "No route had to change",
}
RULES = {
    "windows": "Hours of bins",
    "breaks": "Drivers' breaks",
    "overtime": "No more overtime",
    "shift": "End of the shift",
    "kg": "Payload",
    "litres": "Volume of the body",
    "skills": "Skills of crews",
    "streams": "One stream per truck",
    "station hours": "Hours of the transfer station",
    "must": "Bins that must be served",
}
