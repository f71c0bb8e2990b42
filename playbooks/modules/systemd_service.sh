# systemd_service (ansible.builtin): another name of systemd.
#
# arg name text, or service unit
# arg state text, one of reloaded restarted started stopped
# arg enabled bool
# arg masked bool
# arg daemon_reload bool, or daemon-reload
# arg daemon_reexec bool, or daemon-reexec
# arg force bool
# arg no_block bool
# arg scope text, one of system user global
# returns enabled name state status.ActiveState status.LoadState status.SubState status.UnitFileState
# runs systemd
