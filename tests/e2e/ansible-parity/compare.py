#!/usr/bin/python3
"""compare.py OUT LIST DIFFERENCES CORPUS LAB [partial] - what both tools said and left behind; prints each difference as one line.

A difference that a line of DIFFERENCES matches is known (README.md has its form); one that no longer occurs is a failure,
unless only a part of the corpus was played. Ends with "N as Ansible, N not".
"""
import difflib
import fnmatch
import json
import os
import re
import subprocess
import sys
import time

OUT, LIST, KNOWN, CORPUS, LAB = sys.argv[1:6]
PARTIAL = "partial" in sys.argv[6:]
ADDRESSES = {tool: open(os.path.join(LAB, tool + ".ip")).read().strip() for tool in ("ansible", "rehost")}

# Keys of registered values that are not compared: what differs from run to run, and what only Ansible knows of itself.
IGNORED_KEYS = {"start", "end", "delta", "invocation", "warnings", "deprecations", "ansible_facts", "atime", "mtime", "ctime", "inode", "dev",
                "pid", "elapsed", "diff", "message", "ansible_included_var_files", "attr_flags", "attributes", "block_size", "blocks", "charset", "mimetype", "device_type", "version", "backup_file", "cache_update_time", "src_tmp"}
# What Ansible's modules return beside what playbooks read: compared when both return it, not missed when one does not.
OPTIONAL_KEYS = {"uid", "gid", "owner", "group", "mode", "size", "state", "md5sum", "checksum", "src", "dest", "path", "cmd", "msg",
                 "ansible_loop_var", "ansible_index_var", "failed_when_result", "stderr", "stderr_lines", "stdout", "stdout_lines", "name", "secontext"}
# A flag that is not there means no.
FLAGS = {"failed", "skipped", "changed"}
differences = []
details = {}


def differ(name, what, more=()):
    """What begins with "run 1: " or "run 2: " and is the same in both is told once, as "both runs: "."""
    line = "%s: %s" % (name, what)
    both = line.replace(": run 2: ", ": both runs: ", 1)
    first = line.replace(": run 2: ", ": run 1: ", 1)
    if first != line and first in differences:
        differences[differences.index(first)] = both
        details[both] = details.pop(first, more)
        return
    differences.append(line)
    details[line] = more


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def plain(value):
    """The value without what must differ between two machines."""
    if isinstance(value, str):
        for tool, address in ADDRESSES.items():
            value = value.replace(address, "ADDRESS")
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def show(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)[:300]


# ---- what came of each task


def parsed(text):
    """A message that is JSON or a number in text means the same as the value."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads({"True": "true", "False": "false", "None": "null"}.get(text, text))
    except ValueError:
        return text.rstrip("\n")


def events_of(tool, run, name):
    base = "%s/%s.%d/%s" % (OUT, tool, run, name)
    if tool == "ansible":
        return [json.loads(line) for line in text_of(base + ".jsonl").splitlines()]
    try:
        tasks = json.loads(text_of(base + ".json"))
    except ValueError:
        return []
    while "tasks" not in tasks:
        tasks = tasks.get("data") or tasks.get("result") or {"tasks": []}
    return [dict(task, path="%s:%d" % (task["file"], task["line"]), msg=task["message"]) for task in tasks["tasks"]]


INCLUDES = {"include_tasks", "import_tasks", "include_role", "import_role", "include", "meta"}


def rows_of(tool, run, name):
    rows = []
    for event in events_of(tool, run, name):
        module = event["module"].split(".")[-1]
        # Ansible gathers facts again in each play, rehost once.
        if event["task"] in ("registered values", "Gathering Facts") or (module in INCLUDES and event["status"] in ("ok", "changed", "skipped")):
            continue
        where = ":".join([os.path.basename(event["path"].rsplit(":", 1)[0]), event["path"].rsplit(":", 1)[1]])
        # An item's name may be rendered with the item, or not: it is for people only.
        name = "" if "item" in event and event["item"] is not None or event["task"] == event["module"] else event["task"] or ""
        row = {"label": plain("%s %s" % (where, name or module)), "item": plain(parsed(event.get("item"))), "status": event["status"], "msg": None,
               "why": event.get("why") or event.get("message")}
        if module == "debug" and row["status"] == "ok":
            row["msg"] = plain(parsed(event.get("msg")))
        rows.append(row)
    return rows


def compare_tasks(run, name):
    theirs, mine = rows_of("ansible", run, name), rows_of("rehost", run, name)
    same = difflib.SequenceMatcher(None, [row["label"] for row in theirs], [row["label"] for row in mine], autojunk=False)
    for kind, i, j, k, m in same.get_opcodes():
        if kind != "equal":
            for row in theirs[i:j]:
                differ(name, "run %d: %s: ansible %s, rehost nothing" % (run, row["label"], row["status"]))
            for row in mine[k:m]:
                differ(name, "run %d: %s: ansible nothing, rehost %s" % (run, row["label"], row["status"]))
            continue
        for a, b in zip(theirs[i:j], mine[k:m]):
            for key in ("status", "item", "msg"):
                # The label of an item that is a map is for people only.
                if a[key] == b[key] or key == "item" and not isinstance(a[key], (str, int, float)):
                    continue
                differ(name, "run %d: %s: %s: ansible %s, rehost %s" % (run, a["label"], key, show(a[key]), show(b[key])),
                       [tool + ": " + show(row["why"]) for tool, row in (("ansible", a), ("rehost", b)) if row["why"]])


# ---- what was registered


def compare_values(name, where, theirs, mine):
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for key in sorted(set(theirs) | set(mine)):
            if key in IGNORED_KEYS or key.startswith("_ansible"):
                continue
            if key in FLAGS and not theirs.get(key) and not mine.get(key):
                continue
            if key not in mine:
                if key not in OPTIONAL_KEYS:
                    differ(name, "%s.%s: ansible %s, rehost has none" % (where, key, show(theirs[key])))
            elif key not in theirs:
                if key in OPTIONAL_KEYS or theirs.get("failed"):
                    continue
                differ(name, "%s.%s: ansible has none, rehost %s" % (where, key, show(mine[key])))
            elif isinstance(theirs[key], str) and isinstance(mine[key], str) and key in ("failed_when_result", "changed_when_result"):
                continue  # why a condition could not be evaluated
            elif not (key == "msg" and theirs.get("failed")):
                compare_values(name, where + "." + key, theirs[key], mine[key])
    elif isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
        for index, pair in enumerate(zip(theirs, mine)):
            compare_values(name, "%s[%d]" % (where, index), *pair)
    elif theirs != mine:
        differ(name, "%s: ansible %s, rehost %s" % (where, show(theirs), show(mine)))


def compare_registered(run, name):
    values = []
    for tool in ("ansible", "rehost"):
        text = text_of("%s/%s.%d/%s.registered" % (OUT, tool, run, name))
        values.append(plain(json.loads(text)) if text.strip() else {})
    if values != [{}, {}]:
        compare_values(name, "run %d: registered" % run, *values)


# ---- what is left on the machines


def state_of(tool, run):
    state, section = {}, None
    with open("%s/%s.%d.state" % (OUT, tool, run), "rb") as file:
        data = file.read().decode("utf-8", "surrogateescape")
    parts = re.split(r"(?:^|(?<=[\n\0]))== (\w+)\n", data)
    for section, body in zip(parts[1::2], parts[2::2]):
        separator = "\0" if section in ("files", "contents") else "\n"
        state[section] = [plain(line) for line in body.split(separator) if line]
    if "end" not in state:
        sys.exit("the state of %s is not whole" % tool)
    return state


# Made by chance or by the clock, anew on each machine.
VOLATILE = [line.split("#")[0].strip() for line in text_of(os.path.join(os.path.dirname(KNOWN), "volatile")).splitlines()]
VOLATILE = re.compile("|".join("(?:%s)" % fnmatch.translate(pattern) for pattern in VOLATILE if pattern))


def files_of(state):
    hashes = {line[66:]: line[:64] for line in state["contents"]}
    files = {}
    for line in state["files"]:
        kind, mode, owner, size, ctime, mtime, path, target = line.split("\t")
        if VOLATILE.match(path):
            continue
        files[path] = {"type": kind, "mode": mode, "owner": owner, "target": target, "content": hashes.get(path),
                       "size": size if kind == "f" else None, "ctime": float(ctime), "mtime": float(mtime)}
        # A time that was set by a playbook, not by the writing itself.
        files[path]["time"] = int(float(mtime)) if path.startswith("/srv/parity/") and float(ctime) - float(mtime) > 3600 or float(mtime) > float(ctime) + 60 else None
    return files


def times_of(tool, run):
    """[start, end, name] of each playbook."""
    times = []
    for line in open(LIST):
        name = line.split("\t")[0]
        words = text_of("%s/%s.%d/%s.time" % (OUT, tool, run, name)).split()
        if len(words) == 2:
            times.append((float(words[0]), float(words[1]), name))
    return times


def culprit(path, files):
    """The playbook that touched the path last, by its folder or by the time of its change."""
    match = re.match(r"/srv/parity/([^/]+)", path)
    if match:
        return match.group(1)
    for tool in ("rehost", "ansible"):
        for candidate in (path, os.path.dirname(path)):
            entry = files[tool].get(candidate)
            for start, end, name in entry and times[tool] or []:
                if start - 0.05 <= entry["ctime"] <= end + 0.05:
                    return name
    return "machine"


# How crontab heads its files.
STAMPED = re.compile(r"# \(/\S+ installed on ")


def content_diff(path):
    texts = []
    for tool in ("ansible", "rehost"):
        texts.append(subprocess.run(["ssh", "-i", LAB + "/user", "-o", "UserKnownHostsFile=" + LAB + "/known", "-o", "LogLevel=ERROR",
                                     "root@" + ADDRESSES[tool], "cat -- '%s'" % path.replace("'", "'\\''")],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.decode("utf-8", "backslashreplace"))
    texts = [[line for line in plain(text).splitlines(True) if not STAMPED.match(line)] for text in texts]
    return list(difflib.unified_diff(*texts, "ansible", "rehost", n=1))


def compare_files(run, states):
    files = {tool: files_of(states[tool]) for tool in states}
    for path in sorted(set(files["ansible"]) | set(files["rehost"])):
        theirs, mine = files["ansible"].get(path), files["rehost"].get(path)
        if PARTIAL and max(entry["ctime"] for entry in (theirs, mine) if entry) < min(start for start, _, _ in times["rehost"] + times["ansible"]):
            continue  # left by an earlier run on machines that were kept
        name = culprit(path, files)
        if not theirs or not mine:
            differ(name, "run %d: file %s: only %s has it" % (run, path, "rehost" if mine else "ansible"))
            continue
        for key in ("type", "mode", "owner", "target", "time"):
            if theirs[key] != mine[key]:
                differ(name, "run %d: file %s: %s: ansible %s, rehost %s" % (run, path, key, theirs[key], mine[key]))
        if theirs["content"] != mine["content"]:
            lines = content_diff(path)
            if lines:
                differ(name, "run %d: file %s: content" % (run, path), lines[2:32])


def compare_section(run, section, states):
    theirs, mine = ({line.split("\t")[0]: line.split("\t")[1:] for line in states[tool].get(section, [])} if section != "ufw" else
                    {str(i): line for i, line in enumerate(states[tool].get(section, []))} for tool in ("ansible", "rehost"))
    for key in sorted(set(theirs) | set(mine)):
        if theirs.get(key) != mine.get(key) and not VOLATILE.match(section + " " + key):
            differ("machine", "run %d: %s %s: ansible %s, rehost %s" % (run, section, key, theirs.get(key), mine.get(key)))


def header(name, key):
    match = re.search(r"^# %s: *(.*)$" % key, text_of("%s/%s.yaml" % (CORPUS, name)), re.M)
    return match.group(1) if match else ""


def expect_no_change(name):
    """The second run changes nothing, in both, but for the tasks that the playbook says."""
    if header(name, "second run"):
        return
    for tool in ("ansible", "rehost"):
        for row in rows_of(tool, 2, name):
            if row["status"] == "changed":
                differ(name, "run 2: %s: %s changes it again" % (row["label"], tool))


# ---- together

names = [line.split("\t")[0] for line in open(LIST)]
for name in names:
    for run in (1, 2):
        status = {tool: text_of("%s/%s.%d/%s.status" % (OUT, tool, run, name)).strip() for tool in ("ansible", "rehost")}
        refused = [tool for tool in status if not rows_of(tool, run, name) and status[tool] != "0"]
        if (status["ansible"] == "0") != (status["rehost"] == "0") or len(refused) == 1:
            said = [text_of("%s/ansible.%d/%s.out" % (OUT, run, name)), text_of("%s/rehost.%d/%s.err" % (OUT, run, name))]
            differ(name, "run %d: exit code: ansible %s, rehost %s" % (run, status["ansible"], status["rehost"]),
                   ["ansible: " + line for line in said[0].splitlines()[:12]] + ["rehost: " + line for line in said[1].splitlines()[-5:]])
        if refused:
            continue  # nothing more to say
        compare_tasks(run, name)
        compare_registered(run, name)
    expect_no_change(name)
for run in (1, 2):
    times = {tool: times_of(tool, 1) + (times_of(tool, 2) if run == 2 else []) for tool in ("ansible", "rehost")}
    states = {tool: state_of(tool, run) for tool in ("ansible", "rehost")}
    compare_files(run, states)
    for section in sorted((set(states["ansible"]) | set(states["rehost"])) - {"files", "contents", "end"}):
        compare_section(run, section, states)

known, unused, bad, reason = [], [], set(), None
for line in text_of(KNOWN).splitlines():
    if line.startswith("#"):
        reason = line
    elif not line.strip():
        reason = None
    else:
        known.append(line)
        if not reason:
            differ("differences", "no reason is given for '%s'" % line)
used = set()
for difference in differences:
    match = next((line for line in known if fnmatch.fnmatchcase(difference, line)), None)
    if match:
        used.add(match)
        continue
    bad.add(difference.split(":")[0])
    print("DIFF " + difference)
    for line in details.get(difference, []):
        print("       " + line.rstrip("\n"))
for line in known:
    if line not in used and line.split(":")[0] in names:
        bad.add(line.split(":")[0])
        print("DIFF differences: '%s' does not occur any more" % line)
for name in names:
    print(("FAIL " if name in bad else "ok   ") + name)
print("%d as Ansible, %d not" % (len([name for name in names if name not in bad]), len(bad)))
