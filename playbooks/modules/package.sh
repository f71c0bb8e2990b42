# package (ansible.builtin): packages by the system's package manager.
# As `apt`.
#
# arg name words, required
# arg state text, one of absent present latest
# returns cache_update_time cache_updated stdout
# runs apt
