"""The field's words for what the wire abbreviates; each is a term that the catalogues translate."""

FLAGS = {
    "no_tag": "No tag",
    "two_tags": "Two tags",
    "no_weight": "No weight",
    "unstable": "Unstable weighing",
    "overload": "Scale overloaded",
    "no_fix": "No position",
    "fault": "Lift fault",
    "counter_reset": "Counter was reset",
    "future": "Time in the future",
    "past": "Time far in the past",
    "misfit": "Data does not fit",
    "unknown_kind": "Unknown kind",
}
ALARMS = {
    "device_lost": "Device lost",
    "device_silent": "Device silent",
    "scale_fault": "Scale fault",
    "lift_fault": "Lift fault",
    "gnss_lost": "No satellite position",
    "fuel_theft": "Fuel taken from the tank",
    "fuel_leak": "Fuel leak",
    "outbox_full": "Outbox full",
    "outbox_lost": "Outbox was corrupt",
    "outbox_damaged": "Records in the outbox damaged",
    "records_refused": "Records refused",
    "gap_open": "Records are missing",
    "disk_full": "Disk full",
    "clock_unsure": "Clock not certain",
    "misconfigured": "Wrong configuration",
    "vest_battery": "Vest battery low",
}
SEVERITIES = {"info": "Information", "warning": "Warning", "critical": "Critical"}
DEVICE_STATES = {
    "up": "in service",
    "connecting": "connecting",
    "lost": "lost",
    "misconfigured": "wrongly configured",
    "silent": "silent",
}
STREAMS = {
    "σύμμεικτα": "Mixed waste",
    "mixed": "Mixed waste",
    "residual": "Mixed waste",
    "ανακύκλωση": "Recycling",
    "recycling": "Recycling",
    "οργανικά": "Organic waste",
    "organic": "Organic waste",
    "bio": "Organic waste",
    "γυαλί": "Glass",
    "glass": "Glass",
    "paper": "Paper",
}
SHIFTS = {
    "morning": "Morning shift (05–13)",
    "afternoon": "Afternoon shift (13–21)",
    "night": "Night shift (21–05)",
    "πρωινή": "Morning shift (05–13)",
    "απογευματινή": "Afternoon shift (13–21)",
    "βραδινή": "Night shift (21–05)",
}
EDGE_KINDS = {"truck": "Refuse truck", "gateway": "Street gateway"}
GAP_STATES = {"open": "Awaited", "away": "Disconnected", "lost": "Earlier outbox"}
TIME_SOURCES = {"gnss": "Satellite", "ntp": "Network", "rtc": "Clock of the device", "none": "Unknown"}
BIN_STATES = {
    "today": "Lifted today",
    "recent": "Lifted in the last 3 days",
    "old": "Not lifted for over 3 days",
    "unknown": "No lift on record",
}
EDGE_STATES = {"up": "Connected", "down": "Disconnected", "unknown": "Never heard"}
