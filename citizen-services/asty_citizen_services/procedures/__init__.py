"""What can be asked for: a folder a procedure, of manifest.toml, form.json, process.bpmn and documents. A new one needs no Python."""
