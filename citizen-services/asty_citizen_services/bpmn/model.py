"""A procedure's BPMN model: read, checked, and what it offers at each step."""

import ast
import hashlib
from collections.abc import Iterator, Set
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree
from msgspec import Struct
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, full_tag
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import ManualTask

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ASTY = "{https://asty.gr/bpmn/1}"
CITIZEN = "Πολίτης"
"""The lane whose steps are the citizen's."""
TAKEN = frozenset(
    {
        *("process", "laneSet", "lane", "flowNodeRef", "sequenceFlow", "conditionExpression", "incoming", "outgoing"),
        *(
            "startEvent",
            "endEvent",
            "boundaryEvent",
            "intermediateCatchEvent",
            "timerEventDefinition",
            "timeDuration",
            "messageEventDefinition",
        ),
        *("userTask", "serviceTask", "exclusiveGateway", "parallelGateway"),
        *("documentation", "textAnnotation", "text", "association", "extensionElements"),
    }
)
"""What a model may be made of: nothing that runs a script of its own."""
_COMPARES = (
    *(ast.Expression, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Name, ast.Constant, ast.Load, ast.Tuple, ast.List),
    *(ast.And, ast.Or, ast.Not, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)


class ModelError(Exception):
    """The model is wrong: says the file, the line and what was expected."""


class Service(ManualTask):  # type: ignore[misc]
    """A step that the system does. The engine stops at it as at a person's, so that a crash in the middle does it again."""


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {full_tag("serviceTask"): (TaskParser, Service)}  # noqa: RUF012  the library's own hook


class Outcome(Struct, frozen=True):
    """One way to end a step. `asks` names what the person must give with it: `reason`, `department`, `questions`."""

    value: str
    name: str
    english: str
    asks: tuple[str, ...] = ()


class Step(Struct, frozen=True):
    """One box of the diagram. `does` is a service's, `outcomes` a person's; without outcomes a step is just done."""

    id: str
    name: str
    english: str
    lane: str
    does: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    asks: tuple[str, ...] = ()

    def outcome(self, value: str) -> Outcome | None:
        return next((one for one in self.outcomes if one.value == value), None)


class Model(Struct, frozen=True):
    """A checked model. `digest` names its version: a running case keeps the one that it began with."""

    process: str
    xml: str
    digest: str
    steps: dict[str, Step]
    ends: dict[str, str]

    def spec(self) -> Any:
        """Return the engine's own form: cases of one model share it, none changes it."""
        return _spec(self.xml, self.process)

    def signers(self, does: str) -> int:
        """Return how many sign what the system step `does` writes, before it is delivered or written anew."""
        root = etree.fromstring(self.xml.encode())
        ways = [(flow.get("sourceRef"), flow.get("targetRef")) for flow in root.iter(f"{BPMN}sequenceFlow")]
        at = [step.id for step in self.steps.values() if step.does == does]
        seen: set[str] = set()
        while at:
            here = at.pop()
            for after in (target for source, target in ways if source == here):
                step = self.steps.get(after)
                if after not in seen and (step is None or "signature" in step.asks):
                    seen.add(after)
                    at.append(after)
        return len(seen & self.steps.keys())

    @property
    def lanes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.lane for step in self.steps.values()))


def load(path: Path, services: Set[str]) -> Model:
    """Read and check a model whose system steps are among `services`. Raises ModelError, OSError."""
    return read(path.read_text(encoding="utf-8"), str(path), services)


def read(xml: str, path: str, services: Set[str]) -> Model:
    """Check a model; `path` is what its faults are said of. Raises ModelError."""
    try:
        root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ModelError(f"{path}:{error.lineno}: no XML: {error.msg}") from error
    processes = root.findall(f"{BPMN}process")
    if len(processes) != 1:
        raise ModelError(f"{path}:{root.sourceline}: expected one process and found {len(processes)}")
    [process] = processes
    for line, what in _wrongs(process, services):
        raise ModelError(f"{path}:{line}: {what}")
    try:
        _spec(xml, process.get("id"))
    except ValidationException as error:
        raise ModelError(f"{path}:{error.line_number or process.sourceline}: {error}") from error
    steps = {step.id: step for step in _steps(process)}
    ends = {node.get("id"): node.get("name", "") for node in process.findall(f"{BPMN}endEvent")}
    return Model(process.get("id"), xml, hashlib.sha256(xml.encode()).hexdigest(), steps, ends)


@lru_cache(maxsize=64)
def _spec(xml: str, process: str) -> Any:
    parser = _Parser()
    parser.add_bpmn_str(xml.encode())
    return parser.get_spec(process)


def _steps(process: Any) -> Iterator[Step]:
    lanes = {ref.text.strip(): lane.get("name") for lane in process.iter(f"{BPMN}lane") for ref in lane.findall(f"{BPMN}flowNodeRef")}
    for node in process:
        if node.tag in (f"{BPMN}userTask", f"{BPMN}serviceTask"):
            yield Step(
                id=node.get("id"),
                name=node.get("name"),
                english=node.get(f"{ASTY}en", node.get("name")),
                lane=lanes.get(node.get("id"), ""),
                does=node.get(f"{ASTY}does"),
                outcomes=tuple(_outcomes(process, node)) if node.tag == f"{BPMN}userTask" else (),
                asks=tuple(node.get(f"{ASTY}asks", "").split()),
            )


def _outcomes(process: Any, node: Any) -> Iterator[Outcome]:
    """Yield the ways out of the gateway behind a person's step: each flow is named for the button that takes it."""
    flows = list(process.findall(f"{BPMN}sequenceFlow"))
    behind = [flow.get("targetRef") for flow in flows if flow.get("sourceRef") == node.get("id")]
    gateways = {gateway.get("id") for gateway in process.findall(f"{BPMN}exclusiveGateway")}
    for flow in flows:
        if flow.get("sourceRef") in gateways.intersection(behind) and (value := _outcome_value(flow)) is not None:
            yield Outcome(
                value, flow.get("name", value), flow.get(f"{ASTY}en", flow.get("name", value)), tuple(flow.get(f"{ASTY}asks", "").split())
            )


def _outcome_value(flow: Any) -> str | None:
    """Read `outcome == "complete"`; None for any other condition."""
    match _condition(flow):
        case ast.Expression(body=ast.Compare(left=ast.Name(id="outcome"), ops=[ast.Eq()], comparators=[ast.Constant(value=str(value))])):
            return value
    return None


def _condition(flow: Any) -> ast.Expression | None:
    text = flow.findtext(f"{BPMN}conditionExpression")
    return None if text is None else ast.parse(text.strip(), mode="eval")


def _wrongs(process: Any, services: Set[str]) -> Iterator[tuple[int, str]]:
    for node in process.iter(etree.Element):
        name = etree.QName(node).localname
        if node.tag.startswith(BPMN) and name not in TAKEN:
            yield node.sourceline, f"a model may not hold {name}; it may hold {', '.join(sorted(TAKEN))}"
        if name == "serviceTask" and node.get(f"{ASTY}does", "").split(":")[0] not in services:
            yield node.sourceline, f"asty:does is {node.get(f'{ASTY}does')!r}; known are {', '.join(sorted(services))}"
        if name in ("userTask", "serviceTask", "endEvent") and not node.get("name"):
            yield node.sourceline, f"{node.get('id')} has no name, and people read it"
        if name == "sequenceFlow":
            yield from _wrong_condition(node)
        if name == "timeDuration":
            yield from _wrong_duration(node)
    placed = {ref.text.strip() for ref in process.iter(f"{BPMN}flowNodeRef")}
    for node in process.findall(f"{BPMN}userTask"):
        if node.get("id") not in placed:
            yield node.sourceline, f"{node.get('name')} stands in no lane: nobody would be given it"


def _wrong_condition(flow: Any) -> Iterator[tuple[int, str]]:
    try:
        condition = _condition(flow)
    except SyntaxError as error:
        yield flow.sourceline, f"the condition can't be read: {error.msg}"
        return
    if condition is not None and not all(isinstance(node, _COMPARES) for node in ast.walk(condition)):
        yield flow.sourceline, "a condition only compares: outcome == 'complete', fee > 0, a in ('x', 'y'), joined by and, or, not"


def _wrong_duration(node: Any) -> Iterator[tuple[int, str]]:
    text = (node.text or "").strip()
    if not (text.startswith(('"P', "'P")) and text.endswith(text[0])):
        yield node.sourceline, f'a term is an ISO 8601 duration in quotes, such as "P50D", and not {text}'
