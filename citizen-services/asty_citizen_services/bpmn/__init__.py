"""A case's way through a BPMN model: who has it, what can be decided, which term runs. Pure: the caller keeps the state."""
