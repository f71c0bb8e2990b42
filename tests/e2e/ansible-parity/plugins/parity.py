"""Callback plugin of the parity test: writes down what came of each task, one JSON object a line, to $PARITY_RESULTS."""
import json
import os

from ansible.plugins.callback import CallbackBase


def variable_of(values):
    """What `debug: var=NAME` shows, as rehost does: NAME: value."""
    shown = {key: value for key, value in values.items() if not key.startswith("_ansible") and key not in ("changed", "failed", "item", "ansible_loop_var")}
    return "".join("%s: %s" % (key, value if isinstance(value, str) else json.dumps(value, indent=4, ensure_ascii=False)) for key, value in shown.items())


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "parity"

    def __init__(self):
        super().__init__()
        self.told = set()  # loops of which items were told

    def note(self, result, status, item=None):
        task, values = result._task, result._result
        line = {"task": task.name and result.task_name, "module": task.action, "status": status, "path": task.get_path()}
        if item is not None:
            line["item"] = item
        if values.get("_ansible_no_log"):
            line["no_log"] = True
        elif task.action.split(".")[-1] in ("debug", "fail", "assert"):
            line["msg"] = values["msg"] if "msg" in values else variable_of(values)
        elif status in ("failed", "ignored"):
            line["why"] = values.get("msg")
        with open(os.environ["PARITY_RESULTS"], "a") as out:
            out.write(json.dumps(line, default=str) + "\n")

    def failure(self, result, ignored):
        return "ignored" if ignored else "failed"

    # The items of a loop are told one by one; the loop itself only when it had none.
    def whole(self, result, status):
        if result._task._uuid not in self.told:
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
        self.told.add(result._task._uuid)
        self.note(result, status, self._get_item_label(result._result))

    def v2_runner_item_on_ok(self, result):
        self.item(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_item_on_skipped(self, result):
        self.item(result, "skipped")

    def v2_runner_item_on_failed(self, result):
        self.item(result, self.failure(result, result._task.ignore_errors))
