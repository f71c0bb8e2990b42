#!/usr/bin/python3
"""Writes expr_cases.json: what the installed ansible-core makes of each template of expr_cases.txt.

test_expr.c and test_template.c compare with that file, so that the expected values are Ansible's and not ours. Run again
after a change of expr_cases.txt; made with ansible-core 2.14.18 and Jinja 3.1.2. Lines: `V template` (a value in a
playbook), `C condition` (when), `F text` (a template file; JSON string). '!' in the result means that Ansible refuses. `R V
template` and the like: Ansible gives a value, and we refuse on purpose.
"""
import json
import os
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.conditional import Conditional
from ansible.template import Templar

here = os.path.dirname(os.path.abspath(__file__))
variables = json.load(open(os.path.join(here, "expr_vars.json")))


class When(Conditional):
    def __init__(self, condition):
        super().__init__(loader=DataLoader())
        self.when = [condition]


def result_of(kind, text):
    mine = dict(variables)
    if kind == "F":  # a scoped block renders every variable; those that never end would end it
        mine = {name: value for name, value in variables.items() if name not in ("circle", "round_", "loopy")}
    templar = Templar(loader=DataLoader(), variables=mine)
    if kind == "C":
        return When(text).evaluate_conditional(templar, dict(variables))
    if kind == "F":
        # As the template module does; what a file includes stands in templates/parts.
        with templar.set_temporary_context(searchpath=[os.path.join(here, "templates", "parts")]):
            return templar.do_template(text, preserve_trailing_newlines=True, escape_backslashes=False)
    return templar.template(text)


cases = []
for number, line in enumerate(open(os.path.join(here, "expr_cases.txt")), 1):
    line = line.rstrip("\n")
    if not line or line.startswith("#"):
        continue
    kind, text = line.split(" ", 1)
    ours = kind == "R"
    if ours:
        kind, text = text.split(" ", 1)
    if kind == "F":
        text = json.loads(text)
    case = {"line": number, "kind": kind, "text": text}
    try:
        case["value"] = json.loads(json.dumps(result_of(kind, text)))
    except Exception as error:  # every kind of refusal counts
        case["refused"] = True
        if "-v" in sys.argv:
            print(number, text, error, file=sys.stderr)
    if ours:
        case["ansible"] = case.pop("value")
        case["refused"] = True
    cases.append(case)
with open(os.path.join(here, "expr_cases.json"), "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
