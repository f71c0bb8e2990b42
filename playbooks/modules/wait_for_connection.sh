# wait_for_connection (ansible.builtin): waits until the host runs tasks.
# It is a task like others: where it runs, the connection is there. No arguments; after a restart use `reboot`.
#
# runs ping
