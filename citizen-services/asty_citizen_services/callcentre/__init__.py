"""The telephone line: who calls, how their cases stand, filing for them, and handing a form over to their phone."""
