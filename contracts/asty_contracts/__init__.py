"""What crosses a process boundary in Asty: messages, topics, units, ids. No I/O."""

CONTRACT_VERSION = 1
