"""The diagrams keep the rules of BPMN as bpmnlint knows them, so that any modeller opens them."""

import subprocess
from pathlib import Path

import pytest
from asty_appliance.front import node
from asty_citizen_services.procedures.catalogue import OWN

LOOK = Path(__file__).parents[3] / "look"
LINT = LOOK / "node_modules/bpmnlint/bin/bpmnlint.js"


@pytest.mark.skipif(not LINT.exists(), reason="npm packages are missing: run npm ci in look/")
def test_every_diagram_passes_bpmnlint_without_errors() -> None:
    diagrams = sorted(map(str, OWN.glob("*/process.bpmn")))
    assert len(diagrams) == 18
    done = subprocess.run(
        [str(node()), str(LINT), "--config", str(LOOK / ".bpmnlintrc"), *diagrams], cwd=LOOK, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "(0 errors" in done.stdout
