# ping: the host runs tasks.
module_ping() { put ping "${a_data:-pong}"; }
