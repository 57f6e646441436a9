"""The dispatcher's board: the day against its plan, arrival times, what-if, closures, messages, verification of service, tickets."""
