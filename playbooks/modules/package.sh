# package (ansible.builtin): packages by the system's package manager.
# Always by apt: takes what `apt` takes.
#
# arg name words, required
# arg state text, one of absent present latest
# arg allow_downgrade bool
# arg autoremove bool
# arg purge bool
# arg update_cache bool
# returns cache_update_time cache_updated stdout
# runs apt
