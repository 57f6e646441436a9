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
