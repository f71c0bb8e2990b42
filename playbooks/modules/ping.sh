# ping (ansible.builtin): the host runs tasks.
# Runs nothing.
#
# arg data text
# returns ping
module_ping() { put ping "${a_data:-pong}"; }
