# service (ansible.builtin): the state of a service, now and at boot.
# Always by systemd, as the module `systemd`: `sleep`, `pattern`, `arguments`, `runlevel` and `use`, which other init systems need, have no effect.
#
# arg name text, required
# arg state text, one of reloaded restarted started stopped
# arg enabled bool
# arg sleep int
# arg pattern text
# arg arguments text, or args
# arg runlevel text
# arg use text
# returns enabled name state status.ActiveState status.LoadState status.SubState status.UnitFileState
# runs systemd
