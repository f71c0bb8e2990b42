# service (ansible.builtin): the state of a service, now and at boot.
# Always by systemd, as the module `systemd`.
#
# arg name text, required
# arg state text, one of reloaded restarted started stopped
# arg enabled bool
# returns enabled name state status.ActiveState status.LoadState status.SubState status.UnitFileState
# runs systemd
