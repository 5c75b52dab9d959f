"""Writes what dstack's configuration files may hold, as facts in sota-loop's own notation.

    python dstack_facts.py >crates/config-search/src/dstack/facts.json

Needs the dstack release named below. The schema that dstack publishes is made from these models; this takes from it names,
types, choices and limits, and none of its text. What a model checks in code and its schema does not say (how `16GB..` is
written, say) gets the name of a form here; forms are in forms.rs, rules between fields in rules.rs, both beside the facts.
`tests/real/dstack_config.sh` fails when the facts are not what this prints.
"""

import json
import sys
from importlib.metadata import version

from dstack._internal.core.models.configurations import DstackConfiguration

# Scalars of their own classes: the schema says only what they may be made of.
OWN = (
    (["number", "integer", "text"], "memory"),
    (["integer", "text"], "duration"),
    (["number", "text", {"list": "integer"}], "capability"),
)
# What may be written in place of an object.
SHORT = {
    "Range_int_": "range",
    "Range_Memory_": "memory-range",
    "CPUSpec": "cpu",
    "GPUSpec": "gpu",
    "DiskSpec": "memory-range",
    "VolumeMountPoint": "mount",
    "RepoSpec": "repo",
    "FilePathMapping": "file",
    "EntityReference": "reference",
    "FleetNodesSpec": "nodes",
    "PortMapping": "port",
    "InstanceNameSelector": "string-not-empty",
    "SSHHostParams": "text",
    "PresetModelRepo": "string-not-blank",
    "PresetPromptFile": "prompt",
}
# Text (or a number) with a form that only code knows: shape (or "*") and field.
FORMS = {
    ("*", "max_duration"): "duration-or-off",
    ("*", "stop_duration"): "duration-or-off",
    ("DevEnvironmentConfiguration", "inactivity_duration"): "duration-or-off",
    ("*", "idle_duration"): "idle-duration",
    ("*", "auto_cleanup_duration"): "idle-duration",
    ("*", "python"): "python",
    ("*", "user", "RunConfiguration"): "unix-user",
    ("*", "shell"): "shell",
    ("*", "cron"): "cron",
    ("CPUSpec", "arch"): "architecture",
    ("GPUSpec", "vendor"): "vendor",
    ("NodeGroup", "name"): "group-name",
    ("ReplicaGroup", "name"): "group-name",
    ("VolumeMountPoint", "path"): "mount-path",
    ("InstanceMountPoint", "path"): "mount-path",
    ("InstanceMountPoint", "instance_path"): "mount-path",
    ("RepoSpec", "path"): "repo-path",
    ("FilePathMapping", "path"): "unix-path",
    ("ScalingSpec", "window"): "scaling-window",
    ("ProbeConfig", "timeout"): "probe-duration",
    ("ProbeConfig", "interval"): "probe-duration",
    ("ProbeConfig", "url"): "probe-url",
    ("UtilizationPolicy", "time_window"): "utilization-window",
    ("SSHParams", "network"): "private-network",
    ("SSHHostParams", "internal_ip"): "private-address",
    ("PresetModelBase", "base"): "text-not-blank",
    ("PresetModelRepo", "repo"): "text-not-blank",
    ("PresetModelRepo", "name"): "text-not-blank",
    ("PresetPromptFile", "path"): "text-not-blank",
    ("PresetConfiguration", "dataset"): "dataset",
    ("ServiceConfiguration", "port"): "service-port",
    ("*", "tags"): "tag",
}
PATTERNS = {
    r"^([a-zA-Z_][a-zA-Z0-9_]*)(=.*$|$)": "env-entry",
    r"^(?:[0-9]+|\*):[0-9]+$": "port",
    r"^[0-9]+:[0-9]+$": "service-port",
    r"^[a-zA-Z0-9-_]+$": "header-name",
    r"^/[^\s\\{}]*$": "url-prefix",
}
SCALARS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null"}
RUNS = ("ServiceConfiguration", "TaskConfiguration", "DevEnvironmentConfiguration")


def name(reference):
    return reference.rsplit("/", 1)[1]


def with_limits(node, kind):
    limits = {
        ours: node[theirs]
        for ours, theirs in (
            ("min", "minimum"),
            ("above", "exclusiveMinimum"),
            ("max", "maximum"),
            ("shortest", "minLength"),
            ("longest", "maxLength"),
        )
        if theirs in node
    }
    return {"scalar": kind, **limits} if limits else kind


def fact(node):
    """One type."""
    if "$ref" in node:
        return {"shape": name(node["$ref"])}
    if "discriminator" in node:
        tags = node["discriminator"]
        return {"tag": tags["propertyName"], "of": {tag: name(ref) for tag, ref in sorted(tags["mapping"].items())}}
    if "anyOf" in node or "oneOf" in node:
        branches = [fact(branch) for branch in node.get("anyOf") or node["oneOf"]]
        short = next((SHORT[b["shape"]] for b in branches if isinstance(b, dict) and b.get("shape") in SHORT), None)
        if short and any(b in ("text", "integer", "number", "port") or is_port(b) for b in branches):
            plain = [b for b in branches if b not in ("text", "integer", "number", "port") and not is_port(b)]
            branches = [*plain, short]
        for made_of, form in OWN:
            if branches == made_of:
                return form
            if branches == [*made_of, "null"]:
                branches = [form, "null"]
        return {"any": branches}
    if "enum" in node:
        return {"one_of": node["enum"]}
    if "const" in node:
        return {"one_of": [node["const"]]}
    if "pattern" in node:
        return with_limits(node, PATTERNS[node["pattern"]])
    if node["type"] == "array":
        limits = {ours: node[theirs] for ours, theirs in (("min", "minItems"), ("max", "maxItems")) if theirs in node}
        return {"list": fact(node["items"]), **limits}
    if node["type"] == "object":
        return {"map": fact(node["additionalProperties"])}
    return with_limits(node, SCALARS.get(node["type"], node["type"]))


def is_port(branch):
    return isinstance(branch, dict) and branch.get("scalar") == "integer" and branch.get("max") == 65535


def formed(shape, field, plain):
    """The type of a field, with the form that code gives its text."""
    form = FORMS.get((shape, field)) or FORMS.get(("*", field))
    if field == "user" and shape in RUNS:
        form = "unix-user"
    if (shape, field) == ("FleetInstanceSelector", "fleet"):
        # Elsewhere a number is a name, too.
        return {"any": [{"shape": "EntityReference"}, "string-reference"]}
    if (shape, field) == ("ServiceConfiguration", "model"):
        return {"any": ["string" if branch == "text" else branch for branch in plain["any"]]}
    if not form:
        return plain
    optional = isinstance(plain, dict) and "any" in plain and "null" in plain["any"]
    if form == "tag":
        plain = {"map": form}
    elif form == "cron":
        return {"any": [{"list": form, "min": 1}, form]}
    elif form == "service-port":
        return {"any": [{"shape": "PortMapping"}, form]}
    else:
        plain = form
    return {"any": [plain, "null"]} if optional else plain


def shape(title, node):
    if "enum" in node:
        # The name that releases before 0.22.4 wrote is still read.
        return {"one_of": node["enum"] + (["sglang"] if title == "RouterType" else [])}
    if "properties" not in node:
        return {"is": fact(node)}
    fields = {field: formed(title, field, fact(value)) for field, value in node["properties"].items()}
    required = node.get("required", [])
    if title == "FleetNodesSpec":
        # Filled in by code when they are missing.
        required, fields["min"], fields["target"] = [], {"any": ["integer", "null"]}, {"any": ["integer", "null"]}
    if title == "PresetConfiguration":
        required = ["model"]
    return {"fields": dict(sorted(fields.items())), "required": sorted(required)}


schema = DstackConfiguration.model_json_schema()
facts = {
    "source": "dstack",
    "version": version("dstack"),
    "types": {tag: name(ref) for tag, ref in sorted(schema["discriminator"]["mapping"].items())},
    "shapes": {title: shape(title, node) for title, node in sorted(schema["$defs"].items())},
}


def lines(value):
    """One line a shape: a change of dstack is a change of few lines."""
    head = json.dumps({k: v for k, v in value.items() if k != "shapes"})[:-1]
    body = ",\n".join(f"{json.dumps(title)}: {json.dumps(each)}" for title, each in value["shapes"].items())
    return f'{head}, "shapes": {{\n{body}\n}}}}\n'


sys.stdout.write(lines(facts))
