# wait_for_connection (ansible.builtin): waits until the host runs tasks.
# The connection is there when it runs. No arguments.
#
# runs ping
