"""Callback plugin of the parity test: writes down what came of each task, one JSON object a line, to $PARITY_RESULTS."""
import json
import os

from ansible.playbook.block import Block
from ansible.plugins.callback import CallbackBase


def is_rescued(task):
    """True when a failure of the task leads to a `rescue` of a block that holds it (and not in its rescue or always part)."""
    inner = task
    while inner is not None:
        outer = getattr(inner, "_parent", None)
        if isinstance(inner, Block) and inner.rescue and holds(inner.block, task):
            return True
        inner = outer
    return False


def holds(tasks, wanted):
    return any(task._uuid == wanted._uuid or (isinstance(task, Block) and holds(task.block + task.always, wanted)) for task in tasks)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "parity"

    def note(self, result, status, item=None):
        task, values = result._task, result._result
        line = {"task": task.name and result.task_name, "module": task.action, "status": status, "path": task.get_path()}
        if item is not None:
            line["item"] = item
        if values.get("_ansible_no_log"):
            line["no_log"] = True
        elif task.action.split(".")[-1] in ("debug", "fail", "assert"):
            line["msg"] = values.get("msg")
        elif status in ("failed", "ignored", "rescued"):
            line["why"] = values.get("msg")
        with open(os.environ["PARITY_RESULTS"], "a") as out:
            out.write(json.dumps(line, default=str) + "\n")

    def failure(self, result, ignored):
        return "ignored" if ignored else "rescued" if is_rescued(result._task) else "failed"

    # The items of a loop are told one by one; the loop itself only when it had none.
    def whole(self, result, status):
        if "results" not in result._result or not result._task.loop and not result._task.loop_with:
            self.note(result, status)

    def v2_runner_on_ok(self, result):
        self.whole(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_skipped(self, result):
        self.whole(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.whole(result, self.failure(result, ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self.note(result, "unreachable")

    def item(self, result, status):
        self.note(result, status, self._get_item_label(result._result))

    def v2_runner_item_on_ok(self, result):
        self.item(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_item_on_skipped(self, result):
        self.item(result, "skipped")

    def v2_runner_item_on_failed(self, result):
        self.item(result, self.failure(result, result._task.ignore_errors))
