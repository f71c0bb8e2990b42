#!/usr/bin/python3
"""play_ansible.py DIR OPTION... - plays playbooks as ansible-playbook does, all in one process: most of its time is its start.

Reads lines `NAME<tab>PLAYBOOK<tab>OPTIONS` and writes DIR/NAME.jsonl (what came of each task: plugins/parity.py), DIR/NAME.out (what
ansible-playbook says), DIR/NAME.status (its exit code) and DIR/NAME.time (seconds since the epoch at start and end). OPTION... go to
each. Every playbook has its own inventory, variables and loader, as in a process of its own; only what does not depend on the playbook
is shared: the modules of Python, the connection (with Mitogen) and plugins once loaded.
"""
import os
import shlex
import sys
import time
import traceback

import mitogen.core
from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.utils.context_objects import CLIArgs
from ansible.utils.unsafe_proxy import AnsibleUnsafeText


def set_options(options):
    """Ansible keeps the options of a process for good; here each playbook has its own."""
    context.CLIARGS = CLIArgs.from_options(options)


context._init_global_context = set_options


def plain(value):
    """Mitogen 0.3.3 does not know the text of this ansible-core that is marked as unsafe, and cannot send it."""
    if isinstance(value, AnsibleUnsafeText):
        return value._strip_unsafe() if hasattr(value, "_strip_unsafe") else "".join(value)
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    if type(value) in (dict, mitogen.core.Kwargs):
        return type(value)({key: plain(item) for key, item in value.items()})
    return value


send = mitogen.core.Message.pickled.__func__
mitogen.core.Message.pickled = classmethod(lambda cls, value, **options: send(cls, plain(value), **options))


def play(arguments):
    try:
        return PlaybookCLI(["ansible-playbook"] + arguments).run()
    except SystemExit as end:
        return end.code
    except Exception as error:  # what ansible-playbook would print and end with 1 to 5
        print("ERROR! %s" % error)
        if not type(error).__module__.startswith("ansible"):
            traceback.print_exc()
        return 1


def main():
    directory, options = sys.argv[1], sys.argv[2:]
    for line in sys.stdin:
        name, playbook, own_options = line.rstrip("\n").split("\t")
        base = os.path.join(directory, name)
        os.environ["PARITY_RESULTS"] = base + ".jsonl"
        open(base + ".jsonl", "w").close()
        out = os.open(base + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.close(out)
        start = time.time()
        status = play(options + shlex.split(own_options) + [playbook])
        sys.stdout.flush()
        sys.stderr.flush()
        with open(base + ".time", "w") as file:
            file.write("%.6f %.6f\n" % (start, time.time()))
        with open(base + ".status", "w") as file:
            file.write("%s\n" % status)


main()
