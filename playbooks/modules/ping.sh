# ping (ansible.builtin): the host runs tasks.
# Changes nothing.
#
# arg data text
# returns ping
module_ping() { put ping "${a_data:-pong}"; }
